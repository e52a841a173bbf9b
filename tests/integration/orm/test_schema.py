"""Bringing a database up: from nothing, after a safe addition, and refusing what does not fit."""

import asyncio

import pytest

from orm import Char, Computed, Database, DotModel, Integer, Many2one, Registry
from orm.schema.apply import SchemaMismatch, bring_up
from tests.support.models import SHOP


class Notes(DotModel):
    note_text: str | None = Char()
    score: int = Integer(default=5)
    twin_id: int | None = Many2one("products")


class Unsafe(DotModel):
    must: str = Char(required=True)
    may: str | None = Char()


class Wrong(DotModel):
    sum: int | None = Computed(sql="nope + 1")


@pytest.fixture
async def db(database_url: str):  # type: ignore[no-untyped-def]
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def columns(db: Database, table: str) -> set[str]:
    rows = await db.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = $1", table)
    return {row[0] for row in rows}


async def test_an_unchanged_database_is_recognised_by_one_statement(db: Database) -> None:
    registry = Registry.compose(SHOP)
    await bring_up(db, registry)
    await bring_up(db, registry)
    before = db.pool.round_trips
    await bring_up(db, registry)
    assert db.pool.round_trips - before == 1


async def test_processes_on_one_database_read_each_others_cursors(db: Database) -> None:
    one, other = Registry.compose(SHOP), Registry.compose(SHOP)
    assert one.cursor_key != other.cursor_key
    await bring_up(db, one)
    await bring_up(db, other)
    assert one.cursor_key == other.cursor_key
    await db.execute("DELETE FROM starling_schema WHERE key = 'cursor_key'")  # as an older version left it
    await asyncio.gather(bring_up(db, one), bring_up(db, other))
    assert one.cursor_key == other.cursor_key
    grown = Registry.compose(SHOP, {"products": [Notes]})
    await bring_up(db, grown)
    assert grown.cursor_key == one.cursor_key


async def test_safe_additions_are_applied_and_old_rows_get_the_default(db: Database) -> None:
    await bring_up(db, Registry.compose(SHOP))
    await db.execute("INSERT INTO products (name, created_at) VALUES ('old', now())")
    await bring_up(db, Registry.compose(SHOP, {"products": [Notes]}))
    assert {"note_text", "score", "twin_id"} <= await columns(db, "products")
    assert await db.fetchval("SELECT score FROM products") == 5
    # a worker of the old code, which knows nothing of the new columns, still writes
    await db.execute("INSERT INTO products (name, created_at) VALUES ('older', now())")


async def test_a_column_that_cannot_simply_be_added_stops_the_start_once_what_is_safe_is_there(
    db: Database,
) -> None:
    await bring_up(db, Registry.compose(SHOP))
    for _ in range(2):
        with pytest.raises(SchemaMismatch, match=r"products\.must is missing"):
            await bring_up(db, Registry.compose(SHOP, {"products": [Unsafe]}))
    names = await columns(db, "products")
    assert "must" not in names
    assert "may" in names


async def test_an_expression_that_postgresql_does_not_take_names_its_field(db: Database) -> None:
    with pytest.raises(SchemaMismatch, match=r'Product\.sum: PostgreSQL .* column "nope" does not exist'):
        await bring_up(db, Registry.compose(SHOP, {"products": [Wrong]}))


async def test_a_column_of_another_type_stops_the_start(db: Database) -> None:
    await bring_up(db, Registry.compose(SHOP))
    await db.execute("ALTER TABLE products ALTER COLUMN stock TYPE text")
    with pytest.raises(SchemaMismatch, match=r"products\.stock is text, Product\.stock needs integer"):
        await bring_up(db, Registry.compose(SHOP, {"products": [Notes]}))


async def test_a_database_of_another_application_is_refused(db: Database) -> None:
    await db.execute("CREATE TABLE products (sku text)")
    with pytest.raises(SchemaMismatch, match='table "products" that Starling did not make'):
        await bring_up(db, Registry.compose(SHOP))
    assert await columns(db, "categories") == set()


async def test_processes_that_start_at_once_make_everything_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    await asyncio.gather(*(database.open() for database in databases))
    try:
        registry = Registry.compose(SHOP)
        await asyncio.gather(*(bring_up(database, registry) for database in databases))
        assert await columns(databases[0], "categories") == {"id", "name", "parent_id"}
    finally:
        await asyncio.gather(*(database.close() for database in databases))
