import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from orm.database import Database
from orm.errors import UsageError
from services.security.revisions import Revisions
from tests.support.eventually import eventually

POLL_SECONDS = 0.002
TRUST_SECONDS = 0.05


class FakeConnection:
    """Answers with the database's revision while it is there, and hangs while it is frozen."""

    def __init__(self, db: "FakeDatabase") -> None:
        self._db = db

    async def fetchrow(self, sql: str) -> tuple[int, int]:
        assert "access_revisions" in sql
        self._db.reads += 1
        if self._db.is_away:
            raise ConnectionResetError("gone")
        if self._db.is_frozen:
            await asyncio.Event().wait()
        revision = self._db.revision
        await self._db.gate.wait()
        return revision, revision // 2

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109  # as the driver has it
        self._db.closed += 1

    def terminate(self) -> None:
        self._db.terminated += 1


class FakeDatabase:
    def __init__(self) -> None:
        self.revision = 0
        self.reads = self.connects = self.closed = self.terminated = 0
        self.is_away = self.is_frozen = self.in_transaction = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def connect(self) -> FakeConnection:
        self.connects += 1
        if self.is_away:
            raise ConnectionRefusedError("nobody there")
        return FakeConnection(self)


@pytest.fixture
def db() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
async def revisions(db: FakeDatabase) -> AsyncIterator[Revisions]:
    revisions = Revisions(cast(Database, db), poll_seconds=POLL_SECONDS, trust_seconds=TRUST_SECONDS)
    yield revisions
    await revisions.stop()


async def read_again(db: FakeDatabase) -> None:
    """Return when a read that began after this call has ended."""
    seen = db.reads
    await eventually(lambda: db.reads > seen + 1)


async def test_nothing_is_current_before_the_first_read(revisions: Revisions) -> None:
    assert not revisions.is_current()


async def test_everything_is_current_once_the_start_is_over(revisions: Revisions) -> None:
    await revisions.start()

    assert revisions.is_current()


async def test_a_revision_that_stays_makes_nobody_forget(db: FakeDatabase, revisions: Revisions) -> None:
    await revisions.start()
    forgotten: list[int] = []
    revisions.on_change(lambda: forgotten.append(1))
    generation = revisions.generation

    await read_again(db)

    assert forgotten == []
    assert revisions.generation == generation
    assert revisions.is_current()


@pytest.mark.parametrize("revision", [7, -1], ids=["it grew", "it went back, as after a restored backup"])
async def test_a_revision_that_moves_makes_everybody_forget(
    db: FakeDatabase, revisions: Revisions, revision: int
) -> None:
    await revisions.start()
    forgotten: list[str] = []
    revisions.on_change(lambda: forgotten.append("sessions"))
    revisions.on_change(lambda: forgotten.append("rights"))
    generation = revisions.generation

    db.revision = revision
    await eventually(lambda: forgotten)

    assert forgotten == ["sessions", "rights"]
    assert revisions.generation > generation


async def test_one_connection_serves_all_reads(db: FakeDatabase, revisions: Revisions) -> None:
    await revisions.start()
    await read_again(db)

    assert db.connects == 1


async def test_nothing_is_current_when_the_revision_cannot_be_read_for_the_time_of_trust(
    db: FakeDatabase, revisions: Revisions
) -> None:
    await revisions.start()

    db.is_away = True

    await eventually(lambda: not revisions.is_current())


async def test_nothing_is_current_when_the_answer_does_not_come(
    db: FakeDatabase, revisions: Revisions
) -> None:
    await revisions.start()

    db.is_frozen = True

    await eventually(lambda: not revisions.is_current())
    await eventually(lambda: db.terminated)


async def test_after_an_outage_it_is_read_over_a_new_connection_and_what_was_missed_is_noticed(
    db: FakeDatabase, revisions: Revisions
) -> None:
    await revisions.start()
    forgotten: list[int] = []
    revisions.on_change(lambda: forgotten.append(1))
    db.is_away = True
    await eventually(lambda: not revisions.is_current())

    db.revision += 1
    db.is_away = False
    await eventually(revisions.is_current)

    assert forgotten == [1]
    assert db.connects > 1


async def test_an_outage_is_logged_once_however_long_it_lasts(
    db: FakeDatabase, revisions: Revisions, caplog: pytest.LogCaptureFixture
) -> None:
    await revisions.start()

    with caplog.at_level(logging.INFO, logger="services.security.revisions"):
        db.is_away = True
        await eventually(lambda: db.connects > 4)
        db.is_away = False
        await eventually(lambda: len(caplog.records) > 1)

    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


async def test_a_start_that_cannot_read_fails(db: FakeDatabase, revisions: Revisions) -> None:
    db.is_away = True

    with pytest.raises(ConnectionRefusedError):
        await revisions.start()


async def test_after_the_stop_nothing_is_read_nothing_is_current_and_the_connection_is_closed(
    db: FakeDatabase, revisions: Revisions
) -> None:
    await revisions.start()

    await revisions.stop()
    await revisions.stop()
    reads = db.reads
    await asyncio.sleep(POLL_SECONDS * 3)

    assert db.reads == reads
    assert db.closed == 1
    assert not revisions.is_current()


class Transaction(FakeDatabase):
    """A database with an open transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.in_transaction = True
        self.callbacks: list[Callable[[], None]] = []

    def on_commit(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def commit(self) -> None:
        self.revision += 1
        for callback in self.callbacks:
            callback()


async def test_a_change_of_this_process_is_trusted_no_more_from_its_commit_on() -> None:
    transaction = Transaction()
    revisions = Revisions(cast(Database, transaction), poll_seconds=60)
    await revisions.start()
    generation = revisions.generation

    revisions.announce()
    assert revisions.is_current()
    transaction.commit()
    assert not revisions.is_current()
    await eventually(revisions.is_current)

    assert revisions.generation == generation + 1
    assert transaction.reads == 2  # it did not wait for the next time
    await revisions.stop()


async def test_an_answer_that_is_older_than_the_doubt_is_not_trusted() -> None:
    transaction = Transaction()
    revisions = Revisions(cast(Database, transaction), poll_seconds=60)
    await revisions.start()
    transaction.gate.clear()
    revisions.doubt()
    await eventually(lambda: transaction.reads == 2)  # asked, and not answered yet

    revisions.announce()
    transaction.commit()
    transaction.gate.set()
    await eventually(revisions.is_current)

    assert transaction.reads == 3
    await revisions.stop()


async def test_the_revision_of_rights_is_told_apart(db: FakeDatabase, revisions: Revisions) -> None:
    db.revision = 8
    await revisions.start()

    assert revisions.rights == 4


async def test_a_change_outside_of_a_transaction_is_a_mistake(db: FakeDatabase, revisions: Revisions) -> None:
    db.in_transaction = False

    with pytest.raises(UsageError, match="in the transaction that makes it"):
        revisions.announce()
