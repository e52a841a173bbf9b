"""What lists and searches cost where there is much: in the database, as it says itself."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import pytest
import pytest_asyncio

from orm import Database
from services.chat import actions
from services.chat.search_indexes import make_search_indexes
from services.dotorm_databases_postgres.settings import DatabaseSettings
from sql import statements
from tests.integration.services.chat.crowd import Crowd, make_crowd
from tests.integration.services.chat.world import chat_application
from tests.support.application import RunningApplication
from tests.support.databases import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST_MS: Final = 20.0
SEARCH_MS: Final = 150.0

World = tuple[RunningApplication, Crowd]


def tell(line: str) -> None:
    """Show a figure, with `-s`."""
    sys.stdout.write(line + "\n")


@asynccontextmanager
async def crowd_of(server_url: str, *, chats: int, messages: int) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(server_url))
        settings = DatabaseSettings(url=url, statement_timeout_seconds=0)
        running = await stack.enter_async_context(chat_application(url, database=settings))
        db = running.env.db
        await db.execute("DROP INDEX chat_messages_words")  # made afterwards, in a tenth of the time
        crowd = await make_crowd(db, chats=chats, messages=messages)
        await db.execute(statements("chat/search_indexes")["words"])
        await make_search_indexes(db)
        await db.execute("VACUUM ANALYZE chat_messages")
        yield running, crowd


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(server_url: str) -> AsyncIterator[World]:
    """10,000 chats and 1,000,000 messages."""
    async with crowd_of(server_url, chats=10_000, messages=1_000_000) as world:
        yield world


async def execution_ms(db: Database, work: Callable[[], Awaitable[object]]) -> tuple[int, float]:
    """How many statements the work took, and their time in the database: best of five, EXPLAIN ANALYZE.

    Those of other tasks, such as jobs in the background, do not count.
    """
    asked: list[tuple[str, tuple[Any, ...]]] = []
    run = db.run
    worker = asyncio.current_task()

    async def noted(text: str, values: Any = ()) -> list[Any]:
        if asyncio.current_task() is worker:
            asked.append((text, tuple(values)))
        return await run(text, values)

    db.run = noted  # type: ignore[method-assign]
    try:
        await work()
    finally:
        del db.run
    total = 0.0
    for text, values in asked:
        times = []
        for _ in range(5):
            plan = await run(f"EXPLAIN (ANALYZE, TIMING OFF) {text}", values)
            times.append(float(plan[-1][0].split()[2]))
        total += min(times)
    return len(asked), total


@pytest.mark.load
async def test_the_list_takes_twenty_milliseconds_among_a_million_messages(large: World) -> None:
    running, crowd = large
    for user_id in (crowd.everywhere, crowd.somewhere):
        for q in (None, "number 99"):
            with running.env.bind():
                ask = partial(actions.list_chats, user_id, limit=50, q=q)
                page = await ask()
                count, took = await execution_ms(running.env.db, ask)
            tell(f"list of user {user_id}, q={q}: {len(page.data)} chats, {count} statements, {took:.1f} ms")
            assert count == 2 if page.data else 1
            assert took < LIST_MS
            assert q is not None or all(chat.unread_count == 100 for chat in page.data)


@pytest.mark.load
@pytest.mark.parametrize(
    "q", ["delay", "доставка оборудования", "nosuchword", "c4ca4238a0b9", "fox -quick", "elay"]
)
async def test_a_search_takes_a_tenth_of_a_second_among_a_million_messages(large: World, q: str) -> None:
    running, crowd = large
    cases = [(crowd.everywhere, None), (crowd.somewhere, None), (crowd.somewhere, crowd.chat_ids[0])]
    for user_id, chat_id in cases:
        times = []
        for _ in range(7):
            with running.env.bind():
                began = time.perf_counter()
                page = await actions.search_messages(user_id, q, chat_id=chat_id, limit=50)
                times.append((time.perf_counter() - began) * 1000)
        tell(
            f"search {q!r}, user {user_id}, chat {chat_id}: {len(page.data)} found, {sorted(times)[3]:.1f} ms"
        )
        assert min(times) < SEARCH_MS


async def test_the_list_and_the_search_take_as_many_statements_however_many_chats_there_are(
    server_url: str,
) -> None:
    async with crowd_of(server_url, chats=300, messages=3_000) as (running, crowd):
        db = running.env.db
        for user_id in (crowd.everywhere, crowd.somewhere):
            with running.env.bind():
                listed, _ = await execution_ms(db, partial(actions.list_chats, user_id, limit=200))
                asked, _ = await execution_ms(
                    db, partial(actions.search_messages, user_id, "delay", limit=50)
                )
            assert listed == 2
            assert asked <= 6
