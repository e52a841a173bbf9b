"""The pool: bounded, fair, and never handing on a connection whose state is unknown."""

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace

import asyncpg
import pytest

from orm import Database, DatabaseUnavailable, PoolExhausted, StatementTimeout, UsageError
from orm.keep_alive import keep_alive
from orm.link import Link
from orm.tally import Tally, reset_tally, set_tally
from tests.support.eventually import eventually


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, max_size=2, wait_seconds=0.2, statement_timeout_seconds=5)
    await database.open()
    yield database
    await database.close()


async def test_one_statement_is_one_round_trip_once_it_is_prepared(db: Database) -> None:
    await db.fetchval("SELECT 1")
    before = db.pool.round_trips
    for _ in range(10):
        assert await db.fetchval("SELECT 1") == 1
    assert db.pool.round_trips - before == 10


async def test_a_caller_waits_a_bounded_time_and_is_told_why(db: Database) -> None:
    links = [await db.pool.take(), await db.pool.take()]
    with pytest.raises(PoolExhausted, match=r"all 2 database connections were in use for 0\.2 s"):
        await db.fetchval("SELECT 1")
    waiter = asyncio.create_task(db.pool.take())
    await asyncio.sleep(0)
    db.pool.give(links.pop())
    links.append(await waiter)
    for link in links:
        db.pool.give(link)
    assert (db.pool.size, db.pool.idle, db.pool.waiting) == (2, 2, 0)


async def test_a_waiter_that_gives_up_loses_no_connection(db: Database) -> None:
    links = [await db.pool.take(), await db.pool.take()]
    waiter = asyncio.create_task(db.pool.take())
    await asyncio.sleep(0)
    db.pool.give(links.pop())  # served and cancelled in the same turn of the loop
    waiter.cancel()
    await asyncio.wait([waiter])
    db.pool.give(links.pop())
    assert db.pool.idle == 2


async def test_many_callers_share_few_connections(db: Database) -> None:
    patient = Database(db.url, max_size=2, wait_seconds=10)
    await patient.open()
    try:
        results = await asyncio.gather(*(patient.fetchval("SELECT $1::int", n) for n in range(200)))
        assert results == list(range(200))
        assert patient.pool.size <= 2
    finally:
        await patient.close()


async def test_a_cancelled_statement_takes_its_connection_with_it(db: Database) -> None:
    async def backend() -> int:
        return int(await db.fetchval("SELECT pg_backend_pid()"))

    pid = await backend()
    task = asyncio.create_task(db.fetch("SELECT pg_sleep(30)"))
    await asyncio.sleep(0)
    assert db.pool.idle == 0
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await backend() != pid


async def test_raw_execute_leaves_no_session_state_behind(db: Database) -> None:
    await db.execute("SET search_path TO pg_catalog")
    await db.execute("SET statement_timeout = 1234; CREATE TEMP TABLE leak (a int)")
    async with db.transaction():
        await db.execute("SET TIME ZONE 'Europe/Moscow'")
    for _ in range(4):
        assert str(await db.fetchval("SHOW search_path")).startswith("test_")
        assert await db.fetchval("SHOW timezone") == "UTC"
        assert await db.fetchval("SHOW statement_timeout") == "5s"
        assert await db.fetchval("SELECT to_regclass('pg_temp.leak')") is None


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(database_url: str) -> None:
    db = Database(database_url, statement_timeout_seconds=0.05)
    await db.open()
    try:
        with pytest.raises(StatementTimeout):
            await db.fetch("SELECT pg_sleep(10)")
        assert await db.fetchval("SELECT 1") == 1
    finally:
        await db.close()


async def test_a_connection_that_the_server_ended_is_replaced(db: Database) -> None:
    link = await db.pool.take()
    pid = link.connection.get_server_pid()
    await db.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(DatabaseUnavailable, match="connection to the database was lost"):
        await db_fetch(db, link)
    db.pool.give(link)
    assert await db.fetchval("SELECT 1") == 1


async def db_fetch(db: Database, link: object) -> None:
    """One statement on this very connection, with the errors that callers see."""
    with db.translated():
        await link.fetch("SELECT 1", [])  # type: ignore[attr-defined]


async def test_a_statement_survives_a_change_of_its_table(db: Database) -> None:
    await db.execute("CREATE TABLE changing (a int)")
    await db.execute("INSERT INTO changing VALUES (1)")
    assert await db.fetchval("SELECT a FROM changing") == 1
    await db.execute("ALTER TABLE changing ALTER COLUMN a TYPE text")
    assert await db.fetchval("SELECT a FROM changing") == "1"


async def test_closing_ends_waiters_and_may_be_repeated(db: Database) -> None:
    links = [await db.pool.take(), await db.pool.take()]
    waiter = asyncio.create_task(db.pool.take())
    await asyncio.sleep(0)
    await db.close()
    with pytest.raises(UsageError, match="closed"):
        await waiter
    for link in links:
        db.pool.give(link)
    await db.close()
    assert db.pool.size == 0


async def test_who_is_woken_for_a_place_that_is_taken_again_gets_what_lies_idle(db: Database) -> None:
    broken, other = await db.pool.take(), await db.pool.take()
    waiter = asyncio.create_task(db.pool.take())
    await asyncio.sleep(0)
    quicker = asyncio.create_task(db.pool.take())  # takes the place before the waiter runs
    asyncio.get_running_loop().call_soon(db.pool.give, other)  # nobody is waiting in this moment
    broken.is_broken = True
    db.pool.give(broken)
    assert await waiter is other
    for link in (other, await quicker):
        db.pool.give(link)
    assert (db.pool.size, db.pool.idle, db.pool.waiting) == (2, 2, 0)


async def test_who_is_woken_by_a_pool_that_is_closed_makes_no_connection(db: Database) -> None:
    links = [await db.pool.take(), await db.pool.take()]
    waiter = asyncio.create_task(db.pool.take())
    await asyncio.sleep(0)
    for link in links:
        link.is_broken = True
        db.pool.give(link)
    await db.close()
    with pytest.raises(UsageError, match="closed"):
        await waiter
    assert db.pool.size == 0


@pytest.mark.parametrize("error", [TimeoutError(), OSError(), asyncpg.InternalClientError()], ids=repr)
async def test_a_connection_that_cannot_be_reset_gives_its_place_away(
    db: Database, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(link: Link) -> None:
        raise error

    monkeypatch.setattr(Link, "reset", fail)
    link = await db.pool.take()
    link.needs_reset = True
    db.pool.give(link)
    await eventually(lambda: db.pool.size == 0)


def test_waiters_of_a_loop_whose_timers_do_not_know_their_time(database_url: str) -> None:
    async def exhaust() -> list[object]:
        database = Database(database_url, max_size=1, wait_seconds=0)
        await database.open()
        link = await database.pool.take()
        found = await asyncio.gather(*(database.pool.take() for _ in range(3)), return_exceptions=True)
        database.pool.give(link)
        assert (database.pool.idle, database.pool.waiting) == (1, 0)
        await database.close()
        return list(found)

    uvloop = pytest.importorskip("uvloop")
    assert [type(one) for one in uvloop.run(exhaust())] == [PoolExhausted] * 3


def test_sizes_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_size is 3 and max_size 2"):
        Database("postgresql://x", min_size=3, max_size=2)


async def test_statements_and_their_time_are_counted_for_whoever_wants_to_know(db: Database) -> None:
    tally = Tally()
    token = set_tally(tally)
    await db.fetchval("SELECT 1")
    async with db.transaction():
        await db.fetchval("SELECT pg_sleep(0.05)")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await db.fetchval("SELEKT 1")
    reset_tally(token)
    assert tally.statements == 5  # with BEGIN and COMMIT, and the one that failed
    assert 0.05 <= tally.seconds < 5


async def test_a_connection_whose_server_does_not_answer_is_cut_off(db: Database) -> None:
    waiting = asyncio.create_task(db.fetchval("SELECT pg_sleep(60)"))
    await eventually(lambda: db.pool.cut_off(0.0))
    with pytest.raises(DatabaseUnavailable):
        await waiting
    assert db.pool.cut_off(0.0) == 0
    assert await db.fetchval("SELECT 1") == 1


async def test_a_connection_whose_server_was_demoted_is_used_no_more(database_url: str) -> None:
    ways = iter(("on", "off"))
    db = Database(
        database_url,
        connect=lambda: asyncpg.connect(
            database_url, server_settings={"default_transaction_read_only": next(ways)}
        ),
    )
    await db.open()
    with pytest.raises(DatabaseUnavailable):
        await db.execute("CREATE TABLE t (id int)")
    await db.execute("CREATE TABLE t (id int)")
    await db.close()


async def test_a_server_that_vanishes_is_noticed_by_the_system() -> None:
    heard = asyncio.get_running_loop().create_future()
    async with await asyncio.start_server(
        lambda reader, writer: heard.set_result(writer), "127.0.0.1", 0
    ) as vanishing:
        _, writer = await asyncio.open_connection(*vanishing.sockets[0].getsockname())
        keep_alive(SimpleNamespace(_transport=writer.transport))
        wire = writer.transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        for one in (writer, await heard):
            one.close()


async def test_the_driver_has_its_socket_where_we_look_for_it(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert connection._transport.get_extra_info("socket") is not None
    finally:
        await connection.close()
