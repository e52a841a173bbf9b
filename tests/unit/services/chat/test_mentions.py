import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat.mentions import MAX_MENTIONS, mentioned_ids, mentioned_logins

LOGINS = {"ada": 1, "bob": 2, "ada.lovelace": 3, "o'brien": 4, "eve@example.org": 5, "жанна": 6, "dr.": 7}


def mentioned(body: str) -> tuple[int, ...]:
    return mentioned_ids(mentioned_logins(body), LOGINS)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ("@ada", (1,)),
        ("hi @ADA, are you there?", (1,)),
        ("@ada's tea, (@bob)!", (1, 2)),
        ("@bob @ada @bob", (2, 1)),
        ("@ada.lovelace and @ada.", (3, 1)),
        ("@ada.lovelace.", (3,)),
        ("@ada.nobody", (1,)),
        ("@o'brien, @o'brien's", (4,)),
        ("ask @eve@example.org.", (5,)),
        ("Привет, @Жанна!", (6,)),
        ("see @dr. who", (7,)),
        ("**@ada**", (1,)),
        ("@nobody @ @@ @@ada", ()),
        ("mail ada@bob or a.@bob", ()),
        ("@adam", ()),
        ("", ()),
    ],
)
def test_the_longest_login_behind_an_at_counts(body: str, ids: tuple[int, ...]) -> None:
    assert mentioned(body) == ids


def test_so_many_places_are_looked_at_and_no_more() -> None:
    assert len(mentioned_logins("@x " * (MAX_MENTIONS + 5))) == MAX_MENTIONS


@given(st.text())
def test_no_text_is_too_strange(body: str) -> None:
    assert set(mentioned(body)) <= set(LOGINS.values())
    assert all(mentioned_logins(body))
