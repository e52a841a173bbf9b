"""Behind a real pgbouncer in transaction mode: every verb works, and nothing of ours stays on a server
connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import pytest

from orm import Database, StatementTimeout, UniqueViolation
from tests.support.databases import fresh_database
from tests.support.library import LIBRARY, Author, Book, Tag
from tests.support.models import ShopHome, shop
from tests.support.pgbouncer import QUEUE_SECONDS, binary, pgbouncer

pytestmark = pytest.mark.skipif(
    binary() is None, reason="pgbouncer is not installed (apt-get install pgbouncer)"
)

LEFT_BEHIND = """
SELECT 'prepared statement ' || name FROM pg_prepared_statements
UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE name <> ''
UNION ALL SELECT 'setting ' || name FROM pg_settings
    WHERE source = 'session' AND name NOT IN ('client_encoding', 'application_name', 'TimeZone', 'DateStyle')
UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'channel ' || pg_listening_channels()
UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't'
"""
"""What a session of the server holds on to. The four settings are pgbouncer's own doing."""


class Urls(NamedTuple):
    """A database of the test's own: directly, and behind a pooler with one server connection."""

    direct: str
    pooled: str


@pytest.fixture
async def urls(server_url: str) -> AsyncIterator[Urls]:
    async with fresh_database(server_url) as url, pgbouncer(url, server_connections=1) as pooled:
        yield Urls(url, pooled)


async def left_behind(url: str) -> list[str]:
    """What the one server connection behind `url` holds on to."""
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return [row[0] for row in await connection.fetch(LEFT_BEHIND)]
    finally:
        await connection.close()


async def use_every_verb(home: ShopHome) -> None:
    ann = await Author.create(name="Ann", books={"create": [{"title": "a0"}]})
    ids = await Book.create_bulk([{"title": f"a{n}", "author_id": ann, "pages": n} for n in range(1, 6)])
    [red, blue] = await Tag.create_bulk([{"name": "red"}, {"name": "blue"}])
    assert (await Tag.upsert([{"name": "red"}, {"name": "green"}], on=["name"]))[0] == red
    book = await Book.get(ids[0], ["title", "author_id.name"], lock="update")
    assert book.author_id.name == "Ann"
    await book.update(pages=50, tags={"set": [red, blue]})
    tagged: list[Any] = [["tags.name", "=", "red"]]
    page = await Book.search(tagged, ["title", "tags.name"], order="-pages", limit=1)
    assert [tag.name for tag in page[0].tags] == ["red", "blue"]
    assert await Book.search(tagged, order="-pages", limit=1, after=page.next) == []
    assert await Book.search_count() == 6
    assert await Book.exists([["pages", "between", [1, 3]]])
    assert await Book.aggregate((), ["author_id.name"], {"most": ("max", "pages")}) == [
        {"author_id.name": "Ann", "most": 100}
    ]
    titles = [book.title async for book in Book.iterate((), ["title", "tags.name"], order="title", batch=2)]
    assert titles == ["a0", "a1", "a2", "a3", "a4", "a5"]
    assert await Book.update_bulk([["pages", "<", 4]], pages=4) == 2
    await book.refresh()
    await book.delete()
    assert await Book.delete_bulk([["pages", "=", 4]]) == 3
    assert await home.db.execute("UPDATE books SET pages = $1", 7) == "UPDATE 2"
    await Author.delete_bulk((), all=True)
    await Tag.delete_bulk((), all=True)


async def test_every_verb_works_and_leaves_nothing_on_the_server_connection(urls: Urls) -> None:
    async with shop(urls.pooled, models=LIBRARY, pooler=True) as home:
        await use_every_verb(home)
        async with home.db.transaction():
            await use_every_verb(home)
    assert await left_behind(urls.pooled) == []


async def test_a_transaction_keeps_its_server_connection_and_gives_it_back(urls: Urls) -> None:
    async with shop(urls.pooled, models=LIBRARY, pooler=True) as home:
        async with home.db.transaction(isolation="serializable"):
            await Tag.create(name="kept")
            with pytest.raises(UniqueViolation):
                async with home.db.transaction():
                    await Tag.create(name="kept")
            assert await home.db.fetchval("SHOW transaction_isolation") == "serializable"
        with pytest.raises(RuntimeError):
            async with home.db.transaction():
                await Tag.create(name="undone")
                raise RuntimeError
        assert [tag.name for tag in await Tag.search()] == ["kept"]
        assert await home.db.fetchval("SHOW transaction_isolation") == "read committed"


async def be_a_client(number: int, author: int, db: Database, servers: set[int]) -> None:
    """Statements of several shapes in a row: were another client's mixed up with them, a value would not
    fit."""
    for turn in range(8):
        title = f"{number}-{turn}"
        async with db.transaction():
            book = await Book.create(title=title, author_id=author, pages=number)
            servers.add(await db.fetchval("SELECT pg_backend_pid()"))
        assert [book.title for book in await Book.search([["title", "=", title]], ["title"])] == [title]
        assert await Book.search_count([["pages", "=", number], ["author_id", "=", author]]) == turn + 1
        assert (await Book.get(book.id, ["author_id.name"])).author_id.id == author
        assert await db.fetchval("SELECT $1::text", title) == title


@pytest.mark.parametrize("server_connections", [1, 2])
async def test_clients_that_share_server_connections_do_not_disturb_each_other(
    server_url: str, server_connections: int
) -> None:
    async with (
        fresh_database(server_url) as url,
        pgbouncer(url, server_connections=server_connections) as pooled,
        shop(pooled, models=LIBRARY, pooler=True, max_size=12, wait_seconds=20) as home,
    ):
        authors = await Author.create_bulk([{"name": "Ann"}] * 12)
        servers: set[int] = set()
        async with asyncio.TaskGroup() as clients:
            for number in range(24):
                clients.create_task(be_a_client(number, authors[number % 12], home.db, servers))
        assert home.db.pool.size == 12
        assert len(servers) == server_connections
        assert await left_behind(pooled) == []


async def test_values_that_the_driver_cannot_send_do_not_keep_the_server_connection(urls: Urls) -> None:
    async with open_database(urls.pooled) as one, open_database(urls.pooled) as other:
        for values in (["no number"], [2**40], []):  # refused after the statement was parsed, before it ran
            with pytest.raises((asyncpg.DataError, asyncpg.InterfaceError)):
                await one.fetch("SELECT $1::int", *values)
            async with asyncio.timeout(QUEUE_SECONDS / 2):
                assert await other.fetchval("SELECT 1") == 1
        async with one.transaction():
            with pytest.raises(asyncpg.DataError):
                await one.fetch("SELECT $1::int", "no number")
            assert await one.fetchval("SELECT $1::int", 5) == 5


async def test_a_cancelled_statement_frees_the_server_connection(urls: Urls) -> None:
    async with open_database(urls.pooled) as pooled, open_database(urls.direct) as direct:
        task = asyncio.create_task(pooled.fetch("SELECT pg_sleep(30)"))
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND state = 'active'"
        async with asyncio.timeout(QUEUE_SECONDS):
            while not await direct.fetchval(asleep):
                pass
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(QUEUE_SECONDS / 2):
            assert await pooled.fetchval("SELECT 1") == 1


ASLEEP = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND state = 'active'"
)


@pytest.mark.parametrize("place", ["by itself", "in a transaction", "in a cursor", "as a command"])
async def test_a_statement_that_takes_too_long_is_cancelled_where_it_runs(urls: Urls, place: str) -> None:
    async def ask(db: Database) -> None:
        if place == "by itself":
            await db.fetch("SELECT pg_sleep(30)")
        elif place == "as a command":
            await db.execute("SELECT pg_sleep(30)")
        else:
            async with db.transaction() as transaction:
                if place == "in a transaction":
                    await db.fetch("SELECT pg_sleep(30)")
                else:
                    cursor = await transaction.open_cursor("SELECT pg_sleep(30)", ())
                    await cursor.fetch(1)

    async with (
        open_database(urls.pooled, statement_timeout_seconds=0.3) as db,
        asyncio.timeout(QUEUE_SECONDS),
    ):
        with pytest.raises(StatementTimeout):
            await ask(db)
        # the server connection, the only one, is free again, and the statement has ended
        assert await db.fetchval(ASLEEP) == 0
        async with db.transaction():
            assert await db.fetchval("SELECT 1") == 1
    assert await left_behind(urls.pooled) == []


async def test_work_on_the_schema_has_no_time_limit_there(urls: Urls) -> None:
    async with open_database(urls.pooled, statement_timeout_seconds=0.2) as db:
        async with db.transaction() as transaction:
            await transaction.lift_timeout()
            await db.fetch("SELECT pg_sleep(0.5)")
            async with db.transaction():
                await db.fetch("SELECT pg_sleep(0.5)")
        with pytest.raises(StatementTimeout):
            await db.fetch("SELECT pg_sleep(30)")


async def test_no_limit_means_none(urls: Urls) -> None:
    async with open_database(urls.pooled, statement_timeout_seconds=0) as db, db.transaction():
        assert await db.fetchval("SHOW statement_timeout") == "0"
        assert await db.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"


@asynccontextmanager
async def open_database(url: str, *, statement_timeout_seconds: float = 10) -> AsyncIterator[Database]:
    database = Database(url, pooler=True, statement_timeout_seconds=statement_timeout_seconds)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
