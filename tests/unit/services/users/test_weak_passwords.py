import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.users.weak_passwords import LONGEST_PATTERN, weakness

REPEATED = "repeats the same few characters"
WALK = "a walk along the alphabet or the keyboard"
COMMON = "Many people have chosen"
OWN = "one's own login or name"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("aaaaaaaaaa", REPEATED),
        ("          ", REPEATED),
        ("AAAAAaaaaa", REPEATED),
        ("1212121212", REPEATED),
        ("abcabcabca", REPEATED),
        ("ab1!ab1!ab1!", REPEATED),
        ("hellohello", REPEATED),
        ("1234567890", WALK),
        ("0987654321", WALK),
        ("6789012345", WALK),
        ("abcdefghij", WALK),
        ("ABCDEFGHIJ", WALK),
        ("zyxwvutsrq", WALK),
        ("qwertyuiop", WALK),
        ("poiuytrewq", WALK),
        ("qwertzuiop", WALK),
        ("azertyuiop", WALK),
        ("asdfghjkl;", WALK),
        ("qwertyasdfgh", WALK),
        ("12345abcde", WALK),
        ("abcdefedcba", WALK),
        ("1111122222", WALK),
        ("!@#$%^&*()", WALK),
        ("йцукенгшщз", WALK),
        ("password123", COMMON),
        ("PASSWORD123", COMMON),
        ("1q2w3e4r5t", COMMON),
        ("liverpool1", COMMON),
    ],
)
def test_a_password_that_is_tried_first_is_weak(password: str, reason: str) -> None:
    assert reason in (weakness(password) or "")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "another password",
        "abcd1234 then some",
        "tr0ub4dor&3x",
        "hellothebear",
        "abcdefabcdef!x9w",
        "Überraschung",
        "パスワードは十文字以上",
        "🐧🦊🐙🌵🍉🎺🚲🧊🪁🧩",
        "12:45 at the gate",
    ],
)
def test_no_other_rule_is_made_for_passwords(password: str) -> None:
    assert weakness(password) is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("ada.lovelace", ("ada.lovelace", "Ada")),
        ("ADA.LOVELACE", ("ada.lovelace", "Ada")),
        ("Ada Lovelace", ("ada", "Ada Lovelace")),
        ("adalovelace", ("ada", "Ada Lovelace")),
        ("ada-lovelace", ("ada", "Ada Lovelace")),
        ("ada@example.org", ("ada@example.org", "")),
    ],
)
def test_the_own_login_or_name_is_no_password(password: str, words: tuple[str, str]) -> None:
    assert OWN in (weakness(password, words) or "")
    assert weakness(password, ("bob", "Bob")) is None


def test_what_only_contains_the_login_may_be_one() -> None:
    assert weakness("ada has a fine engine", ("ada", "Ada Lovelace")) is None


def test_a_password_and_a_name_without_letters_are_not_the_same() -> None:
    assert weakness("!?!!$%?,;:!", ("", "???")) is None


@pytest.mark.parametrize("length", [10, 22, 43, 128])
def test_what_a_machine_makes_is_never_weak(length: int) -> None:
    letters = string.ascii_letters + string.digits
    assert [
        password
        for _ in range(500)
        if weakness(password := "".join(secrets.choice(letters) for _ in range(length)))
    ] == []


@given(st.text(min_size=1, max_size=LONGEST_PATTERN), st.integers(10, 128))
def test_a_short_pattern_is_weak_however_often_it_is_written(pattern: str, length: int) -> None:
    assert weakness((pattern * length)[:length]) is not None


@given(st.text(min_size=10, max_size=128))
def test_whatever_is_written_gets_an_answer(password: str) -> None:
    assert weakness(password) in {None, weakness(password)}
