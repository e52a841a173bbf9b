"""A pytest plugin for modules of one's own: the project, started for each test on a database of its own.

    async def test_managers_see_the_credit_limit(starling, as_user):
        ada = await as_user("ada", roles=["manager"])
        made = await ada.post("/api/partners", json={"name": "Acme", "credit_limit": "100.00"})
        assert made.json()["credit_limit"] == "100.00"

pytest finds it by itself wherever Starling is installed. It needs the extra `[test]`; pytest-asyncio may be
in either mode. What tests ask for:

    starling              the started application: `env`, `client()`, `as_user()`, `as_admin()`, `socket()`
    as_user               `await as_user("ada", roles=["manager"])`: a client that is signed in as that user
    assert_access_matrix  compares who may do what with a table (see app/testing/access_matrix.py)

and what they may say, each by a fixture of the same name in a conftest.py:

    starling_project      which project: by default the one that `starling_project` in pytest's configuration
                          names, `mything.setup:Settings,Models,Apps`, else app.project_setup
    starling_environ      settings of the test by their names, {"CHAT__MAX_BODY_CHARS": "100"}; neither the
                          process's environment nor a .env file is read
    starling_server_url   the PostgreSQL server: TEST_DATABASE_URL, else an embedded one for the run

The project is started once on an empty database, which migrates it and brings in its default data; every test
gets a copy of the result, dropped afterwards. What a killed run leaves behind is called starling_test_*.

pytest loads this package in every run, so it imports nothing but pytest's own interface; the rest is loaded
by pytest's plugin manager when a test asks for one of the fixtures.
"""

import pytest

from app.testing.fixtures import fixtures_for

_DEFAULT_PROJECT = "app.project_setup:Settings,Models,Apps"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`starling_project` is known to pytest's configuration."""
    parser.addini(
        "starling_project",
        "The project that app.testing starts: module:Settings,Models,Apps",
        default=_DEFAULT_PROJECT,
    )


def pytest_configure(config: pytest.Config) -> None:
    """The fixtures are known to pytest."""
    config.pluginmanager.register(fixtures_for(config), "starling_fixtures")
