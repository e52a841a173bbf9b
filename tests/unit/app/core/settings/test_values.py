from pathlib import Path
from typing import Any

import pytest

from app.core.settings import Setting, catalog
from app.core.settings.values import NotAValueError, check_value, expectation, parse, shown_value
from tests.unit.app.core.settings.samples import Bicycle

SETTINGS = {setting.name: setting for setting in catalog(Bicycle)}


def setting(name: str) -> Setting:
    return SETTINGS[f"ENGINE__{name}"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("POWER", "9", 9),
        ("POWER", " 5 ", 5),
        ("PAUSE_SECONDS", "0.25", 0.25),
        ("PAUSE_SECONDS", "3", 3.0),
        *(("IS_LOUD", text, True) for text in ("true", "True", "1", "yes", "ON", " on ")),
        *(("IS_LOUD", text, False) for text in ("false", "FALSE", "0", "no", "off")),
        ("NAMES", "a,b", ("a", "b")),
        ("NAMES", " a , ,b, ", ("a", "b")),
        ("NAMES", "", ()),
        ("MODE", "fast", "fast"),
        ("MODE", "FAST", "fast"),
        ("FOLDER", "a/b", Path("a/b")),
        ("FOLDER", "~/b", Path.home() / "b"),
        ("URL", "null", "null"),
        ("SECRET", " with spaces ", " with spaces "),
    ],
)
def test_a_text_becomes_a_value(name: str, text: str, value: Any) -> None:
    parsed = parse(setting(name), text)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("POWER", "x", "ENGINE__POWER is 'x': write a whole number from 1 to 9"),
        ("POWER", "1.5", "ENGINE__POWER is '1.5': write a whole number from 1 to 9"),
        ("POWER", "10", "ENGINE__POWER is '10': write a whole number from 1 to 9"),
        ("PAUSE_SECONDS", "0", "ENGINE__PAUSE_SECONDS is '0': write a number greater than 0"),
        ("PAUSE_SECONDS", "inf", "ENGINE__PAUSE_SECONDS is 'inf': write a number greater than 0"),
        ("PAUSE_SECONDS", "nan", "ENGINE__PAUSE_SECONDS is 'nan': write a number greater than 0"),
        ("IS_LOUD", "maybe", "ENGINE__IS_LOUD is 'maybe': write true or false"),
        ("IS_LOUD", "2", "ENGINE__IS_LOUD is '2': write true or false"),
        ("MODE", "idle", "ENGINE__MODE is 'idle': write one of fast, slow"),
        (
            "URL",
            "",
            "ENGINE__URL is empty: write some text, or leave the name out for the default",
        ),
        (
            "POWER",
            "  ",
            "ENGINE__POWER is empty: write a whole number from 1 to 9, or leave the name out for the default",
        ),
        (
            "POWER",
            "u://me:hidden@host",
            "ENGINE__POWER is 'u://me:***@host': write a whole number from 1 to 9",
        ),
        ("POWER", "7" * 500, f"ENGINE__POWER is '{'7' * 60}...': write a whole number from 1 to 9"),
    ],
)
def test_a_wrong_text_is_refused_with_name_value_and_remedy(name: str, text: str, problem: str) -> None:
    with pytest.raises(NotAValueError) as caught:
        parse(setting(name), text)

    assert str(caught.value) == problem


def test_a_home_that_nobody_has_is_refused() -> None:
    with pytest.raises(NotAValueError, match=r"ENGINE__FOLDER is '~nobody-of-that-name/x'.*write it out"):
        parse(setting("FOLDER"), "~nobody-of-that-name/x")


def test_a_value_made_in_code_keeps_the_limits_too() -> None:
    check_value(setting("FOLDER"), Path("x"))
    check_value(setting("URL"), None)
    with pytest.raises(NotAValueError, match="ENGINE__POWER is '10': write a whole number from 1 to 9"):
        check_value(setting("POWER"), 10)
    with pytest.raises(NotAValueError, match=r"ENGINE__FOLDER is .*: write a path"):
        check_value(setting("FOLDER"), "a text")


def test_the_refusal_of_a_secret_does_not_show_it() -> None:
    with pytest.raises(NotAValueError) as caught:
        check_value(setting("SECRET"), 123456)

    assert "123456" not in str(caught.value)
    assert str(caught.value) == "ENGINE__SECRET has a value that it cannot have: write some text"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("POWER", "a whole number from 1 to 9"),
        ("PAUSE_SECONDS", "a number greater than 0"),
        ("NAMES", "a list with commas between its items"),
        ("FOLDER", "a path"),
    ],
)
def test_an_expectation_is_said_in_words(name: str, words: str) -> None:
    assert expectation(setting(name)) == words


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("SECRET", "abcdef", "***"),
        ("SECRET", None, None),
        ("URL", "postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("NAMES", ("a", "x://u:p@h"), ["a", "x://u:***@h"]),
        ("FOLDER", Path("a/b"), "a/b"),
        ("IS_LOUD", True, True),
        ("POWER", 3, 3),
    ],
)
def test_a_shown_value_has_no_secrets(name: str, value: Any, shown: Any) -> None:
    assert shown_value(setting(name), value) == shown
