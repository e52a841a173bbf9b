"""The fixtures of the plugin, without what they are made of: that is loaded when the first one is asked for.

Async fixtures run in the event loop of the project's tests, which pytest-asyncio's
`asyncio_default_test_loop_scope` chooses; hence they are declared once the configuration was read.
"""

from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from app.testing.access_matrix import AssertAccessMatrix
    from app.testing.application import AsUser, StarlingApp
    from app.testing.project import Project

_KIT: Final = "app.testing.kit"
_NEEDED: Final = ("httpx", "asyncpg", "msgspec", "starlette")
_ASYNCIO_PLUGINS: Final = ("asyncio", "pytest_asyncio", "pytest_asyncio.plugin")
"""pytest-asyncio by the name of its entry point, or as `-p` has loaded it."""


def fixtures_for(config: pytest.Config) -> ModuleType:
    """A plugin that has the fixtures. It is a module, because pytest looks for fixtures in those."""
    asyncio_plugin, loop_scope = _asyncio_plugin(config), _loop_scope(config)
    if asyncio_plugin is None or loop_scope is None:
        starling: Any = pytest.fixture(name="starling")(_without_asyncio)
    else:
        starling = asyncio_plugin.fixture(name="starling", loop_scope=loop_scope)(_starling)
    plugin = ModuleType("starling_fixtures", __doc__)
    vars(plugin).update(starling=starling, **_SYNCHRONOUS)
    return plugin


@pytest.fixture(scope="session")
def starling_project(pytestconfig: pytest.Config) -> "Project":
    """The project under test. Override it to test another one: `return Project(Settings, Models, Apps)`."""
    project: Project = _kit(pytestconfig).named_project(pytestconfig.getini("starling_project"))
    return project


@pytest.fixture
def starling_environ() -> dict[str, str]:
    """Settings of the test, by the names that they have in the environment. Override it to change some."""
    return {}


@pytest.fixture(scope="session")
def starling_server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases can be made: TEST_DATABASE_URL, or an embedded
    one."""
    with _kit(pytestconfig).database_server() as url:
        yield url


@pytest.fixture(scope="session")
def starling_databases(pytestconfig: pytest.Config, starling_server_url: str) -> Iterator[Any]:
    """The databases of the run: a migrated one for each project, and copies of it."""
    with _kit(pytestconfig).databases_on(starling_server_url) as databases:
        yield databases


async def _starling(
    starling_databases: Any, starling_project: "Project", starling_environ: dict[str, str]
) -> "AsyncIterator[StarlingApp]":
    """The project, started for this test on a database of its own."""
    async with starling_databases.application(starling_project, starling_environ) as running:
        yield running


def _without_asyncio() -> None:
    """What `starling` is where pytest-asyncio is not."""
    pytest.fail(
        "the fixtures of app.testing are asynchronous, and pytest-asyncio is not loaded or too old: "
        "pip install 'starling[test]'",
        pytrace=False,
    )


@pytest.fixture
def as_user(starling: "StarlingApp") -> "AsUser":
    """`await as_user("ada", roles=["manager"])`: see StarlingApp.as_user."""
    return starling.as_user


@pytest.fixture
def assert_access_matrix(starling: "StarlingApp", pytestconfig: pytest.Config) -> "AssertAccessMatrix":
    """`await assert_access_matrix({"base_user": {"notes": "crud"}})`: see app/testing/access_matrix.py."""
    matrix: AssertAccessMatrix = _kit(pytestconfig).matrix_of(starling)
    return matrix


_SYNCHRONOUS: Final = {
    "starling_project": starling_project,
    "starling_environ": starling_environ,
    "starling_server_url": starling_server_url,
    "starling_databases": starling_databases,
    "as_user": as_user,
    "assert_access_matrix": assert_access_matrix,
}


def _asyncio_plugin(config: pytest.Config) -> Any:
    found = (config.pluginmanager.get_plugin(name) for name in _ASYNCIO_PLUGINS)
    return next((plugin for plugin in found if plugin is not None), None)


def _loop_scope(config: pytest.Config) -> str | None:
    """In which event loop tests run; None where pytest-asyncio is not there, or older than the setting."""
    try:
        return str(config.getini("asyncio_default_test_loop_scope"))
    except (
        ValueError
    ):  # of a run that may have nothing to do with us: its fixtures say so when they are asked for
        return None


def _kit(config: pytest.Config) -> Any:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        pytest.fail(
            f"the fixtures of app.testing need {', '.join(missing)}: pip install 'starling[test]'",
            pytrace=False,
        )
    config.pluginmanager.import_plugin(_KIT)
    return config.pluginmanager.get_plugin(_KIT)
