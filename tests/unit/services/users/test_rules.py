import pytest

from orm.errors import ValidationError
from services.users.rules import (
    LONGEST_LOGIN,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    canonical_login,
    check_password,
    login_problem,
)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("ada", "ada"),
        ("  Ada\t", "ada"),
        ("ADA@Example.ORG", "ada@example.org"),
        ("Straße", "strasse"),
        ("\uff41\uff44\uff41", "ada"),
        ("e\u0301va", "\u00e9va"),
        ("\u00a0ada", "ada"),
    ],
)
def test_logins_that_look_alike_are_the_same(given: str, canonical: str) -> None:
    assert canonical_login(given) == canonical


@pytest.mark.parametrize("given", ["Ada", "Straße", "\u1fb3x", "ﬃ", "İstanbul", "\u0345a"])
def test_a_canonical_login_is_its_own_canonical_form(given: str) -> None:
    once = canonical_login(given)

    assert canonical_login(once) == once


@pytest.mark.parametrize("login", ["a", "ada lovelace", "ada@example.org", "x" * LONGEST_LOGIN, "エイダ"])
def test_a_login_may_be_anything_that_can_be_seen(login: str) -> None:
    assert login_problem(login) is None


@pytest.mark.parametrize(
    ("login", "sentence"),
    [
        ("", "is empty"),
        ("x" * (LONGEST_LOGIN + 1), "is longer than 100 characters"),
        ("a\0b", "contains characters that cannot be seen"),
        ("a\nb", "contains characters that cannot be seen"),
        ("a\u202eb", "contains characters that cannot be seen"),
        ("a\ud800", "contains characters that cannot be seen"),
    ],
)
def test_a_login_that_nobody_could_type_is_refused(login: str, sentence: str) -> None:
    assert login_problem(login) == sentence


@pytest.mark.parametrize("length", [SHORTEST_PASSWORD, LONGEST_PASSWORD])
def test_a_password_has_10_to_128_characters(length: int) -> None:
    check_password("é" * length)


@pytest.mark.parametrize("length", [0, SHORTEST_PASSWORD - 1, LONGEST_PASSWORD + 1])
def test_a_password_of_another_length_is_refused_at_its_place(length: int) -> None:
    with pytest.raises(ValidationError, match="10 to 128") as refused:
        check_password("x" * length, pointer="/new")

    assert [place.pointer for place in refused.value.errors] == ["/new"]


def test_a_password_is_counted_as_it_is_seen() -> None:
    with pytest.raises(ValidationError):
        check_password("e\u0301" * (SHORTEST_PASSWORD - 1))
