"""A pool that is empty, requests that need no database, statements and transactions that take too long."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.dotorm_databases_postgres.watch import DatabaseWatch
from tests.support.application import RunningApplication, running_application
from tests.support.eventually import DEADLINE_SECONDS


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    database = DatabaseSettings(
        url=database_url, pool_max=3, pool_wait_seconds=0.2, statement_timeout_seconds=1
    )
    async with running_application(database_url, database=database) as started:
        yield started


@pytest.fixture
async def admin(running: RunningApplication) -> httpx.AsyncClient:
    return await running.as_admin()


async def take_all(running: RunningApplication) -> list[object]:
    pool = running.env.db.pool
    taken: list[object] = [await pool.take() for _ in range(3)]
    return taken


def give_all(running: RunningApplication, links: list[object]) -> None:
    for link in links:
        running.env.db.pool.give(link)  # type: ignore[arg-type]


async def test_an_empty_pool_is_503_after_a_bounded_wait_and_says_when_to_come_back(
    running: RunningApplication, admin: httpx.AsyncClient
) -> None:
    links = await take_all(running)
    began = time.monotonic()
    answer = await admin.get("/api/partners")
    assert 0.2 <= time.monotonic() - began < 2
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:starling:unavailable"
    give_all(running, links)
    assert (await admin.get("/api/partners")).status_code == 200


async def test_an_empty_pool_is_neither_dead_nor_unready(running: RunningApplication) -> None:
    links = await take_all(running)
    client = await running.client()
    assert (await client.get("/health/live")).status_code == 200
    assert await DatabaseWatch(running.env.db).look() is None
    assert (await client.get("/health/ready")).status_code == 200
    give_all(running, links)


INVALID: tuple[tuple[str, str, bytes | None, int], ...] = (
    ("GET", "/nothing", None, 404),
    ("GET", "/api/nothing", None, 404),
    ("PUT", "/api/partners", b"{}", 405),
    ("POST", "/api/partners", b"{", 400),
    ("POST", "/api/partners", b'{"nothing": 1}', 422),
    ("GET", '/api/partners?filter=[["nothing","=",1]]', None, 422),
    ("GET", "/api/partners?limit=0", None, 422),
    ("GET", "/api/partners?after=nonsense", None, 422),
    ("POST", "/chats", b'{"chat_type": 7}', 422),
)


async def test_an_invalid_request_takes_no_connection(
    running: RunningApplication, admin: httpx.AsyncClient
) -> None:
    await admin.get("/me")  # the token is verified by now
    links = await take_all(running)
    headers = {"Content-Type": "application/json"}
    for method, path, body, status in INVALID:
        answer = await admin.request(method, path, content=body, headers=headers)
        assert answer.status_code == status, answer.text  # with a connection it would be 503
    give_all(running, links)


END_WHO_WAITS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND wait_event_type = 'Lock' AND datname = current_database()"
)


async def test_a_connection_that_the_server_ends_in_the_middle_is_a_clear_503(
    running: RunningApplication, admin: httpx.AsyncClient
) -> None:
    db = running.env.db
    locker = await db.connect()
    async with locker.transaction():
        await locker.execute("LOCK TABLE partners")
        asking = asyncio.create_task(admin.get("/api/partners"))
        ended: list[object] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not ended:  # until it waits for the lock
                ended = await locker.fetch(END_WHO_WAITS)
        answer = await asking
    await locker.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert (await admin.get("/api/partners")).status_code == 200


async def test_a_statement_that_takes_too_long_is_504(
    running: RunningApplication, admin: httpx.AsyncClient
) -> None:
    locker = await running.env.db.connect()
    async with locker.transaction():
        await locker.execute("LOCK TABLE partners")
        answer = await admin.get("/api/partners")
    await locker.close()
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:starling:database_timeout"


async def test_an_abandoned_transaction_is_ended_by_the_server(running: RunningApplication) -> None:
    connection = await running.env.db.connect()
    assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
    await connection.close()
