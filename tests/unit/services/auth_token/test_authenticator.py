import asyncio
import datetime
import logging
from collections.abc import AsyncIterator
from time import time

import pytest

from app.core.errors import Unauthenticated
from services.auth_token.authenticator import TokenAuthenticator
from tests.support.eventually import eventually
from tests.support.sign_in import KEY, TOKENS, FakeDatabase, FakeRevisions, key_row, user_row, verifier_on


class Uses:
    """Remembers which keys were used."""

    def __init__(self) -> None:
        self.noted: list[int] = []

    def note(self, key_id: int) -> None:
        self.noted.append(key_id)


@pytest.fixture
def db() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def revisions() -> FakeRevisions:
    return FakeRevisions()


@pytest.fixture
def uses() -> Uses:
    return Uses()


@pytest.fixture
def authenticator(db: FakeDatabase, revisions: FakeRevisions, uses: Uses) -> TokenAuthenticator:
    return TokenAuthenticator(verifier_on(db), revisions, uses, most_remembered=3)


def token_of(session_id: int = 1, *, seconds: float = 60) -> str:
    return TOKENS.issue(user_id=7, session_id=session_id, expires_at=time() + seconds)


async def test_a_token_is_verified_once(authenticator: TokenAuthenticator, db: FakeDatabase) -> None:
    token = token_of()
    assert authenticator.cached(token) is None

    session = await authenticator.verify_access(token)

    assert authenticator.cached(token) is session
    assert db.asked == 1
    assert (session.user_id, session.session_id, session.login, session.name) == (7, 1, "ada", "Ada")


async def test_a_bad_token_costs_no_query(authenticator: TokenAuthenticator, db: FakeDatabase) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.verify_access(token_of()[:-4] + "AAAA")

    assert db.asked == 0


async def test_a_token_whose_session_is_over_is_refused(
    authenticator: TokenAuthenticator, db: FakeDatabase
) -> None:
    db.sessions.clear()

    with pytest.raises(Unauthenticated, match="session is over"):
        await authenticator.verify_access(token_of())


async def test_everything_is_forgotten_when_rights_change(
    authenticator: TokenAuthenticator, revisions: FakeRevisions
) -> None:
    token = token_of()
    await authenticator.verify_access(token)

    revisions.change()

    assert authenticator.cached(token) is None


async def test_nothing_is_taken_from_memory_while_it_may_be_outdated_and_is_again_when_it_is_not(
    authenticator: TokenAuthenticator, revisions: FakeRevisions
) -> None:
    token = token_of()
    await authenticator.verify_access(token)

    revisions.current = False
    assert authenticator.cached(token) is None

    revisions.current = True
    assert authenticator.cached(token) is not None


async def test_what_was_read_before_a_change_is_not_remembered_after_it(
    authenticator: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions
) -> None:
    token = token_of()
    db.go_on.clear()
    verifying = asyncio.create_task(authenticator.verify_access(token))
    await asyncio.sleep(0)

    db.sessions.clear()
    revisions.change()
    db.go_on.set()
    await verifying

    assert authenticator.cached(token) is None
    with pytest.raises(Unauthenticated):
        await authenticator.verify_access(token)


async def test_a_token_is_forgotten_when_it_expires(
    authenticator: TokenAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(seconds=60)
    session = await authenticator.verify_access(token)

    monkeypatch.setattr("services.auth_token.authenticator.time", lambda: session.expires_at - 0.001)
    assert authenticator.cached(token) is session
    monkeypatch.setattr("services.auth_token.authenticator.time", lambda: session.expires_at)

    assert authenticator.cached(token) is None


async def test_memory_is_bounded_and_the_least_used_token_goes_first(
    authenticator: TokenAuthenticator,
) -> None:
    first, second, third, fourth = (token_of(number) for number in range(1, 5))
    for token in (first, second, third):
        await authenticator.verify_access(token)

    assert authenticator.cached(first) is not None
    await authenticator.verify_access(fourth)

    known = [token for token in (first, second, third, fourth) if authenticator.cached(token)]
    assert known == [first, third, fourth]


async def test_a_token_that_differs_in_a_letter_is_another_token(authenticator: TokenAuthenticator) -> None:
    token = token_of()
    await authenticator.verify_access(token)

    assert authenticator.cached(token.swapcase()) is None
    assert authenticator.cached(token[:-1]) is None


async def test_an_api_key_is_verified_once_and_each_use_is_noted(
    authenticator: TokenAuthenticator, db: FakeDatabase, uses: Uses
) -> None:
    session = await authenticator.verify_access(KEY.text())

    assert authenticator.cached(KEY.text()) is session
    assert authenticator.cached(KEY.text()) is session
    assert db.asked == 1
    assert uses.noted == [5, 5, 5]


async def test_the_use_of_an_access_token_is_not_noted(authenticator: TokenAuthenticator, uses: Uses) -> None:
    token = token_of()
    await authenticator.verify_access(token)
    authenticator.cached(token)

    assert uses.noted == []


async def test_a_key_is_forgotten_when_it_expires(
    authenticator: TokenAuthenticator, db: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires_at = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    db.keys[5] = key_row(expires_at=expires_at)
    session = await authenticator.verify_access(KEY.text())

    now = "services.auth_token.authenticator.time"
    monkeypatch.setattr(now, lambda: expires_at.timestamp() - 0.001)
    assert authenticator.cached(KEY.text()) is session
    monkeypatch.setattr(now, expires_at.timestamp)

    assert authenticator.cached(KEY.text()) is None


@pytest.fixture
async def started(authenticator: TokenAuthenticator) -> AsyncIterator[TokenAuthenticator]:
    authenticator.start()
    yield authenticator
    await authenticator.stop()


async def test_after_a_change_all_that_was_known_is_read_again_with_one_statement(
    started: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions
) -> None:
    tokens = [token_of(number) for number in range(1, 4)]
    for token in tokens:
        await started.verify_access(token)
    asked = db.asked

    db.sessions[1] = user_row(name="Ada Lovelace", is_admin=True)
    revisions.change()
    assert [started.cached(token) for token in tokens] == [None] * 3
    await eventually(lambda: all(started.cached(token) for token in tokens))

    session = started.cached(tokens[0])
    assert session is not None
    assert (session.name, session.is_admin, session.user_id, session.session_id) == (
        "Ada Lovelace",
        True,
        7,
        1,
    )
    assert db.asked == asked + 1


async def test_after_a_change_a_session_that_is_over_is_not_known_any_more(
    started: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions
) -> None:
    ended, going_on = token_of(1), token_of(2)
    for token in (ended, going_on):
        await started.verify_access(token)

    del db.sessions[1]
    revisions.change()
    await eventually(lambda: started.cached(going_on))

    assert started.cached(ended) is None


async def test_after_a_change_keys_are_read_again_as_they_are_now(
    started: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions
) -> None:
    token = token_of()
    await started.verify_access(token)
    await started.verify_access(KEY.text())

    db.keys[5] = key_row(scopes=("users:read",), name="Countess")
    revisions.change()
    await eventually(lambda: started.cached(KEY.text()) and started.cached(token))

    session = started.cached(KEY.text())
    assert session is not None
    assert (session.name, session.scopes) == ("Countess", frozenset({"users:read"}))
    assert db.batches == [[1], [5]]


async def test_a_change_while_sessions_are_read_again_discards_what_was_read(
    started: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions
) -> None:
    token = token_of()
    await started.verify_access(token)
    db.go_on.clear()
    revisions.change()
    asked = db.asked
    await eventually(lambda: db.asked > asked)

    db.sessions.clear()
    revisions.change()
    db.go_on.set()
    for _ in range(10):
        await asyncio.sleep(0)

    assert started.cached(token) is None


async def test_tokens_used_last_are_read_again_first_and_keep_their_order(
    db: FakeDatabase, revisions: FakeRevisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.auth_token.authenticator.AT_A_TIME", 2)
    authenticator = TokenAuthenticator(verifier_on(db), revisions, Uses(), most_remembered=4)
    authenticator.start()
    tokens = [token_of(number) for number in range(1, 5)]
    for token in tokens:
        await authenticator.verify_access(token)

    revisions.change()
    await eventually(lambda: authenticator.cached(tokens[0]))

    assert db.batches == [[4, 3], [2, 1]]
    await authenticator.verify_access(token_of(5))
    assert [token for token in tokens if not authenticator.cached(token)] == [tokens[1]]
    await authenticator.stop()


async def test_when_sessions_cannot_be_read_again_each_token_is_verified_when_it_comes(
    started: TokenAuthenticator, db: FakeDatabase, revisions: FakeRevisions, caplog: pytest.LogCaptureFixture
) -> None:
    token = token_of()
    await started.verify_access(token)

    with caplog.at_level(logging.ERROR):
        db.is_away = True
        revisions.change()
        await eventually(lambda: caplog.records)
    db.is_away = False

    assert started.cached(token) is None
    await started.verify_access(token)
    revisions.change()
    await eventually(lambda: started.cached(token))


async def test_stop_ends_the_reading_and_may_be_called_twice(authenticator: TokenAuthenticator) -> None:
    await authenticator.stop()
    authenticator.start()

    await authenticator.stop()
    await authenticator.stop()

    assert [task for task in asyncio.all_tasks() if task.get_name() == "sessions after a change"] == []
