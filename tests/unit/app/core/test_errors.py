from collections.abc import Callable

import pytest

from app.core.errors import ModuleStartError, SettingsError, StartError, TooManyRequests, described
from orm.errors import DeclarationError, RecordNotFound, UsageError


def caught(raising: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as info:  # noqa: PT011 - whatever it is, it is what the test is about
        raising()
    return info.value


def test_an_unexpected_error_is_described_with_the_line_that_raised_it() -> None:
    line = described(caught(lambda: int("x")))

    assert line.startswith("ValueError: invalid literal for int() with base 10: 'x' (")
    assert __file__ in line


def test_a_syntax_error_is_described_with_the_line_that_has_it() -> None:
    line = described(caught(lambda: compile("a =\n", "crm/app.py", "exec")))

    assert line == "SyntaxError: invalid syntax (crm/app.py, line 1)"


@pytest.mark.parametrize("kind", [RecordNotFound, DeclarationError, UsageError])
def test_an_error_of_ours_speaks_for_itself(kind: type[Exception]) -> None:
    assert described(kind("it is gone")) == "it is gone"


def test_an_error_that_was_never_raised_is_described_too() -> None:
    assert described(ValueError("x")) == "ValueError: x"


def test_a_module_error_names_module_and_phase() -> None:
    error = ModuleStartError("crm", "load_routers", "no such table")

    assert isinstance(error, StartError)
    assert (error.module, error.phase) == ("crm", "load_routers")
    assert str(error) == "module crm failed in load_routers: no such table"


def test_a_settings_error_keeps_its_problems_apart() -> None:
    error = SettingsError(["a is wrong", "b is wrong"])

    assert error.problems == ("a is wrong", "b is wrong")
    assert str(error) == "the settings are wrong:\n  a is wrong\n  b is wrong"


def test_too_many_requests_says_when_to_come_back() -> None:
    assert TooManyRequests("slow down", retry_after_seconds=7).retry_after_seconds == 7
