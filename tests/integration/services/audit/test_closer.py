"""How entries come into the chain."""

import asyncio
import logging
from time import perf_counter
from typing import Any

import asyncpg
import pytest

from app.core.environment import Environment
from app.server.embedded import EmbeddedPostgres
from orm.database import Database
from services.audit.chain import BATCH, close_waiting
from services.audit.closer import Closer
from services.audit.verify import verify
from tests.integration.services.audit.world import (
    chained,
    club,
    tampering,
    until_chained,
    write,
    written_and_closed,
)
from tests.support.eventually import eventually
from tests.support.program import open_folder


async def test_what_is_committed_is_chained_once(env: Environment) -> None:
    await written_and_closed(env, 3)

    assert await close_waiting(env.db) == 0
    assert await chained(env) == [1, 2, 3]
    assert await env.db.fetchval("SELECT count(*) FROM audit_waiting") == 0


async def test_an_entry_is_chained_whatever_id_its_writer_gave_it(env: Environment) -> None:
    await env.db.fetch("INSERT INTO audit_log (id, action) VALUES (-5, 'odd'), (2::bigint ^ 62, 'odd')")
    await write(env, 1)

    assert await close_waiting(env.db) == 3
    assert (await verify(env.db)).is_whole


async def test_a_late_commit_comes_later_in_the_chain(env: Environment, database_url: str) -> None:
    late = await env.db.connect()
    try:
        transaction = late.transaction()
        await transaction.start()
        await late.execute("INSERT INTO members (name) VALUES ('Late')")
        await write(env, 2)
        assert await close_waiting(env.db) == 2
        assert await chained(env) == [2, 3]
        await write(env, 1)
        await transaction.commit()

        assert await close_waiting(env.db) == 2
    finally:
        await late.close()

    assert await chained(env) == [2, 3, 1, 4]
    assert (await verify(env.db)).is_whole


async def test_a_transaction_that_never_commits_holds_nothing_up(env: Environment) -> None:
    late = await env.db.connect()
    transaction = late.transaction()
    await transaction.start()
    await late.execute("INSERT INTO members (name) VALUES ('Late')")

    await written_and_closed(env, 2)
    await transaction.rollback()
    await late.close()
    await written_and_closed(env, 1)

    assert await chained(env) == [2, 3, 4]
    assert (await verify(env.db)).is_whole


async def test_of_two_closers_one_works(env: Environment, database_url: str) -> None:
    await write(env, 3 * BATCH)
    other = Database(database_url)
    await other.open()
    try:
        closed = await asyncio.gather(
            *(close_waiting(db) for db in (env.db, other, env.db, other)), write(env, 20, prefix="beside")
        )
        closed.append(await close_waiting(other))
    finally:
        await other.close()

    assert sum(filter(None, closed)) == 3 * BATCH + 20
    assert (await verify(env.db)).position == 3 * BATCH + 20
    assert (await verify(env.db)).is_whole


async def test_closing_goes_on_where_entries_are_gone(env: Environment) -> None:
    """More of them than a batch has places: they must not be in the way of the rest for ever."""
    await write(env, BATCH + 5)
    async with tampering(env) as connection:
        await connection.execute("DELETE FROM audit_log WHERE id <= $1", BATCH + 2)

    assert await close_waiting(env.db) == 3
    assert await chained(env) == [BATCH + 3, BATCH + 4, BATCH + 5]


async def test_writers_do_not_wait_for_the_closer(env: Environment, database_url: str) -> None:
    """Nor for each other: all of their transactions are open at the same time."""
    await write(env, 5)
    other = Database(database_url)
    await other.open()
    blocker, first, second = [await env.db.connect() for _ in range(3)]
    try:
        await blocker.execute("BEGIN; SELECT FROM audit_waiting FOR UPDATE")
        closing = asyncio.create_task(close_waiting(other))
        await _until_somebody_waits(env)  # the links are made, and not committed

        async with asyncio.timeout(5):
            for connection in (first, second):
                await connection.execute("BEGIN; INSERT INTO members (name) VALUES (pg_backend_pid())")
            assert await close_waiting(env.db) == 0  # the lease is held
            for connection in (first, second):
                await connection.execute("COMMIT")
        assert not closing.done()
        await blocker.execute("ROLLBACK")
        assert await closing == 5
        assert await close_waiting(env.db) == 2
    finally:
        for connection in (blocker, first, second):
            await connection.close()
        await other.close()

    assert (await verify(env.db)).is_whole


async def _until_somebody_waits(env: Environment) -> None:
    question = (
        "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE NOT l.granted AND a.datname = current_database())"
    )
    async with asyncio.timeout(10):
        while not await env.db.fetchval(question):  # noqa: ASYNC110  # the database has no event for it
            await asyncio.sleep(0.002)


async def test_ten_thousand_entries_are_closed_in_seconds(env: Environment) -> None:
    await env.db.fetch(
        "INSERT INTO members (name, secret, fee) "
        "SELECT 'member ' || n, 'x', n FROM generate_series(1, 10000) AS n"
    )

    started = perf_counter()
    assert await close_waiting(env.db) == 10_000
    closing = perf_counter() - started
    started = perf_counter()
    verdict = await verify(env.db)
    walking = perf_counter() - started

    assert (verdict.position, verdict.is_whole) == (10_000, True)
    assert closing < 10
    assert walking < 10
    print(f"closed in {closing:.2f} s, verified in {walking:.2f} s")  # noqa: T201  # shown by pytest -s


async def test_the_task_closes_by_itself_and_ends_when_told(env: Environment) -> None:
    closer = Closer(env.db, close_seconds=0.01)
    await closer.stop()
    closer.start()
    await write(env, 3)

    await until_chained(env, 3)
    await closer.stop()
    await closer.stop()

    await write(env, 1)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "audit chain"]


async def test_the_task_outlives_a_database_that_is_away(
    env: Environment, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    is_away = False

    async def connect() -> "asyncpg.Connection[Any]":
        if is_away:
            raise ConnectionRefusedError
        return await asyncpg.connect(database_url, server_settings={"application_name": "the closer"})

    db = Database(database_url, max_size=1, connect=connect)
    await db.open()
    closer = Closer(db, close_seconds=0.01)
    closer.start()
    try:
        with caplog.at_level(logging.INFO, logger="services.audit.closer"):
            is_away = True
            await env.db.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the closer'"
            )
            await eventually(lambda: "cannot be closed" in caplog.text)
            await write(env, 2)
            is_away = False
            await eventually(lambda: "is closed again" in caplog.text)
        assert caplog.text.count("cannot be closed") == 1
        await until_chained(env, 2)
    finally:
        await closer.stop()
        await db.close()

    assert (await verify(env.db)).is_whole


@pytest.mark.faults
async def test_the_task_outlives_a_restart_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    """Killed, not stopped: what was committed and not chained still waits when it comes back."""
    with open_folder() as folder, EmbeddedPostgres(folder / "data", max_connections=20) as server:
        url = server.url()
        async with club(url) as env:
            closer = Closer(env.db, close_seconds=0.01)
            closer.start()
            try:
                await write(env, 3)
                await until_chained(env, 3)
                late = await env.db.connect()
                await late.execute("BEGIN; INSERT INTO members (name) VALUES ('Late')")
                server.process.kill()
                await asyncio.to_thread(server.process.wait)
                await eventually(lambda: "cannot be closed" in caplog.text)
                await asyncio.to_thread(server.restart)
                await asyncio.to_thread(server.wait_until_ready)
                await write(env, 2, prefix="after")
                await until_chained(env, 5)
            finally:
                await closer.stop()
            assert (await verify(env.db)).is_whole
            assert not await env.db.fetchval("SELECT EXISTS (SELECT FROM members)")


async def test_a_batch_that_is_cut_off_is_undone(env: Environment, database_url: str) -> None:
    await write(env, 5)
    closer = Closer(env.db, close_seconds=60)
    closer.start()
    await asyncio.sleep(0)
    await closer.stop()

    assert len(await chained(env)) in (0, 5)
    await close_waiting(env.db)
    assert await chained(env) == [1, 2, 3, 4, 5]
    assert (await verify(env.db)).is_whole
