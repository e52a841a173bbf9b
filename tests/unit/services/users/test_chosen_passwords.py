import pytest

from orm.errors import ValidationError
from services.users.chosen_passwords import check_password


def test_a_password_that_is_long_enough_and_not_easily_guessed_passes() -> None:
    check_password("correct horse battery staple", own_words=("ada", "Ada Lovelace"))


@pytest.mark.parametrize(
    ("password", "code", "sentence"),
    [
        ("too short", "invalid", "10 to 128 characters"),
        ("x" * 129, "invalid", "10 to 128 characters"),
        ("", "invalid", "10 to 128 characters"),
        ("password123", "guessable", "Many people"),
        ("Ada Lovelace", "guessable", "own login or name"),
    ],
)
def test_any_other_is_refused_at_its_place_with_the_reason(password: str, code: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as refused:
        check_password(password, pointer="/new", own_words=("ada", "Ada Lovelace"))

    assert [(place.pointer, place.code) for place in refused.value.errors] == [("/new", code)]
    assert password not in refused.value.detail or not password
