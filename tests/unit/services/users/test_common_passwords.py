from importlib.resources import files

import pytest

from services.users.common_passwords import is_common
from services.users.rules import folded_password, has_fitting_length


def listed() -> list[str]:
    text = files("services.users").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("# ")]


@pytest.mark.parametrize(
    "password", ["password123", "basketball", "1q2w3e4r5t", "PassWord123", "\uff50assword123", "1QAZ2wsx3edc"]
)
def test_what_many_have_chosen_is_common_whatever_its_case(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", ["correct horse battery staple", "password123 ", "# Facts from two"])
def test_anything_else_is_not(password: str) -> None:
    assert not is_common(password)


def test_the_list_holds_some_thousand_passwords_as_they_are_compared_and_none_that_are_too_short() -> None:
    words = listed()

    assert len(words) > 2000
    assert words == sorted(set(words))
    assert all(word == folded_password(word) == word.strip() and has_fitting_length(word) for word in words)
