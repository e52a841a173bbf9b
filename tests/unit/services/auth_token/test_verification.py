import datetime
import math
from time import time

import pytest

from app.core.access import AccessSession
from app.core.errors import Unauthenticated
from services.auth_token.api_keys import KeySecret, new_api_key
from tests.support.sign_in import KEY, TOKENS, FakeDatabase, FakeRoles, key_row, user_row, verifier_on

SOON = datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC)


def session(**changes: object) -> AccessSession:
    return AccessSession(user_id=7, login="old", name="Old", **changes)  # type: ignore[arg-type]


async def test_a_token_stands_for_its_session_its_user_and_all_of_his_roles() -> None:
    expires_at = int(time()) + 60
    db, roles = FakeDatabase(), FakeRoles()
    db.sessions[11] = user_row(is_admin=True)

    token = TOKENS.issue(user_id=7, session_id=11, expires_at=expires_at)
    found = await verifier_on(db, roles).verify(token)

    assert found == AccessSession(
        user_id=7,
        session_id=11,
        login="ada",
        name="Ada",
        is_admin=True,
        role_ids=frozenset({1, 2}),
        role_codes=frozenset({"base_user", "manager"}),
        expires_at=expires_at,
    )
    assert (db.asked, roles.asked) == (1, 1)


async def test_a_key_stands_for_its_user_and_what_its_scopes_narrow_him_to() -> None:
    db = FakeDatabase()
    db.keys = {5: key_row(scopes=("partners:read", "users:*"), role_ids=[1])}

    found = await verifier_on(db).verify(KEY.text())

    assert found == AccessSession(
        user_id=7,
        key_id=5,
        login="ada",
        name="Ada",
        role_ids=frozenset({1}),
        role_codes=frozenset({"base_user"}),
        scopes=frozenset({"partners:read", "users:*"}),
    )
    assert (found.session_id, found.expires_at) == (None, math.inf)


async def test_a_key_expires_when_it_says() -> None:
    db = FakeDatabase()
    db.keys = {5: key_row(expires_at=SOON)}

    assert (await verifier_on(db).verify(KEY.text())).expires_at == SOON.timestamp()


@pytest.mark.parametrize(
    "key",
    [new_api_key(), KeySecret(KEY.prefix, "s" * 43), KeySecret("zbcdefgh1234", KEY.secret)],
    ids=["of nobody", "with another secret", "with another prefix"],
)
async def test_a_key_that_is_not_the_stored_one_is_refused_in_the_same_words(key: KeySecret) -> None:
    db, roles = FakeDatabase(), FakeRoles()

    with pytest.raises(Unauthenticated, match=r"^The API key is not valid\.$"):
        await verifier_on(db, roles).verify(key.text())

    assert (db.asked, roles.asked) == (1, 0)


@pytest.mark.parametrize("text", ["sk_", "sk_abc_def", KEY.text() + "S", KEY.text()[:-1], "sk_" + "A" * 4000])
async def test_what_cannot_be_a_key_costs_no_query(text: str) -> None:
    db = FakeDatabase()

    with pytest.raises(Unauthenticated):
        await verifier_on(db).verify(text)

    assert db.asked == 0


async def test_what_belongs_to_somebody_else_now_is_honoured_no_more() -> None:
    db = FakeDatabase()
    db.sessions = {1: user_row(user_id=8)}
    db.keys = {5: key_row(user_id=8)}

    found = await verifier_on(db).verify_again([session(session_id=1), session(key_id=5)])

    assert found == [None, None]


async def test_many_are_read_again_with_one_statement_for_sessions_and_one_for_keys() -> None:
    db, roles = FakeDatabase(), FakeRoles()
    db.sessions = {1: user_row(name="Ada I"), 3: user_row(role_ids=[])}
    db.keys = {5: key_row(expires_at=SOON, scopes=())}
    known = [
        session(session_id=1),
        session(session_id=2),
        session(key_id=5),
        session(key_id=6),
        session(session_id=3),
    ]

    found = await verifier_on(db, roles).verify_again(known)

    assert [one and (one.name, sorted(one.role_codes), one.expires_at) for one in found] == [
        ("Ada I", ["base_user", "manager"], math.inf),
        None,
        ("Ada", ["base_user", "manager"], SOON.timestamp()),
        None,
        ("Ada", [], math.inf),
    ]
    assert (db.batches, roles.asked) == ([[1, 2, 3], [5, 6]], 1)
