import asyncio
import logging
from collections.abc import AsyncIterator
from typing import cast

import pytest

from orm.database import Database
from services.auth_token.key_uses import MOST_REMEMBERED, KeyUses
from tests.support.eventually import eventually
from tests.support.sign_in import FakeDatabase


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("services.auth_token.key_uses.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def db() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
async def uses(db: FakeDatabase) -> AsyncIterator[KeyUses]:
    uses = KeyUses(cast(Database, db))
    uses.start()
    yield uses
    await uses.stop()


async def test_a_use_is_written_beside_the_request(uses: KeyUses, db: FakeDatabase) -> None:
    uses.note(5)
    assert db.written == []

    await eventually(lambda: db.written)

    assert db.written == [[[5], 60.0]]


async def test_uses_at_the_same_time_are_written_together(uses: KeyUses, db: FakeDatabase) -> None:
    for key_id in (7, 5, 6, 5):
        uses.note(key_id)
    await eventually(lambda: db.written)

    assert db.written == [[[5, 6, 7], 60.0]]


async def test_a_key_is_written_at_most_once_a_minute(uses: KeyUses, db: FakeDatabase, clock: Clock) -> None:
    uses.note(5)
    await eventually(lambda: len(db.written) == 1)
    clock.now += 59.9
    uses.note(5)
    uses.note(6)
    await eventually(lambda: len(db.written) == 2)

    clock.now += 0.1
    uses.note(5)
    await eventually(lambda: len(db.written) == 3)

    assert [ids for ids, _ in db.written] == [[5], [6], [5]]


async def test_what_cannot_be_written_is_logged_and_does_not_end_the_writing(
    uses: KeyUses, db: FakeDatabase, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    db.is_away = True
    with caplog.at_level(logging.ERROR):
        uses.note(5)
        await eventually(lambda: caplog.records)
    db.is_away = False

    clock.now += 60
    uses.note(5)

    await eventually(lambda: db.written)


async def test_stop_writes_what_waits_and_may_be_called_twice(db: FakeDatabase) -> None:
    uses = KeyUses(cast(Database, db))
    await uses.stop()
    uses.start()
    uses.note(5)

    await uses.stop()
    await uses.stop()

    assert db.written == [[[5], 60.0]]


async def test_stop_loses_nothing_that_is_being_written(db: FakeDatabase) -> None:
    uses = KeyUses(cast(Database, db))
    uses.start()
    db.go_on.clear()
    uses.note(5)
    await eventually(lambda: db.written)

    stopping = asyncio.create_task(uses.stop())
    await asyncio.sleep(0)
    db.go_on.set()
    await stopping

    assert [ids for ids, _ in db.written] == [[5], [5]]


async def test_memory_is_bounded(uses: KeyUses) -> None:
    for key_id in range(MOST_REMEMBERED + 10):
        uses.note(key_id)

    assert len(uses._noted_at) <= MOST_REMEMBERED
