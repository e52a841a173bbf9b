"""Which fixtures a run has: the plugin is loaded by every one, also where it has nothing to do."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from app.testing.fixtures import fixtures_for

NAMES = {
    "starling",
    "starling_project",
    "starling_environ",
    "starling_server_url",
    "starling_databases",
    "as_user",
    "assert_access_matrix",
}


class Config:
    """A configuration with these plugins and these settings."""

    def __init__(self, plugins: Mapping[str, Any], settings: Mapping[str, str]) -> None:
        self.pluginmanager = SimpleNamespace(get_plugin=plugins.get)
        self._settings = settings

    def getini(self, name: str) -> str:
        """See pytest."""
        try:
            return self._settings[name]
        except KeyError as error:
            raise ValueError(f"unknown configuration value: {name!r}") from error


def asyncio_plugin(made: list[Any]) -> Any:
    def fixture(**options: Any) -> Any:
        made.append(options)
        return lambda function: function

    return SimpleNamespace(fixture=fixture)


@pytest.mark.parametrize("name", ["asyncio", "pytest_asyncio", "pytest_asyncio.plugin"])
def test_the_application_runs_in_the_event_loop_of_the_projects_tests(name: str) -> None:
    made: list[Any] = []
    config: Any = Config({name: asyncio_plugin(made)}, {"asyncio_default_test_loop_scope": "module"})

    assert vars(fixtures_for(config)).keys() >= NAMES
    assert made == [{"name": "starling", "loop_scope": "module"}]


def test_a_run_with_an_old_pytest_asyncio_is_left_alone() -> None:
    made: list[Any] = []
    config: Any = Config({"asyncio": asyncio_plugin(made)}, {})

    assert vars(fixtures_for(config)).keys() >= NAMES
    assert made == []


def test_a_run_without_pytest_asyncio_is_left_alone() -> None:
    config: Any = Config({}, {"asyncio_default_test_loop_scope": "function"})

    assert vars(fixtures_for(config)).keys() >= NAMES
