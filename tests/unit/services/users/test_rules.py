import pytest

from services.users.rules import (
    LONGEST_LOGIN,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    canonical_login,
    folded_password,
    has_fitting_length,
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


@pytest.mark.parametrize(
    ("length", "fits"),
    [
        (0, False),
        (SHORTEST_PASSWORD - 1, False),
        (SHORTEST_PASSWORD, True),
        (LONGEST_PASSWORD, True),
        (LONGEST_PASSWORD + 1, False),
    ],
)
def test_a_password_has_10_to_128_characters(length: int, fits: bool) -> None:
    assert has_fitting_length("é" * length) is fits


def test_a_password_is_counted_as_it_is_seen() -> None:
    assert not has_fitting_length("e\u0301" * (SHORTEST_PASSWORD - 1))


@pytest.mark.parametrize(
    ("given", "folded"),
    [("PassWord", "password"), ("\uff30\uff21ss", "pass"), ("E\u0301", "\u00e9"), ("\u00df", "ss")],
)
def test_passwords_that_look_alike_are_compared_as_the_same(given: str, folded: str) -> None:
    assert folded_password(given) == folded
