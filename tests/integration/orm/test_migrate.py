"""Migrations on a real database: once, by one process, without blocking others for long, resumable."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import pytest

from orm import Char, Computed, Database, DotModel, Integer, Many2many, Many2one, One2one, Registry
from orm.schema import migrate
from orm.schema.apply import SchemaMismatch, bring_up, read_difference
from orm.schema.difference import Difference
from orm.schema.migrations import Migration, MigrationError, parse, read_folder, write_plan
from tests.support.models import SHOP, Product

Connection = asyncpg.Connection


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[list[Any]]:
    made = [await asyncpg.connect(database_url) for _ in range(4)]
    yield made
    for connection in made:
        connection.terminate()


def make(number: int, text: str) -> Migration:
    return parse(number, "step", text)


async def test_migrations_run_once_and_in_order(connections: list[Any]) -> None:
    one = make(1, "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);")
    two = make(2, "UPDATE a SET n = n + 1;")
    assert await migrate.apply(connections[0], [one]) == [one]
    assert await migrate.apply(connections[0], [one, two]) == [two]
    assert await migrate.apply(connections[0], [one, two]) == []
    assert await connections[0].fetchval("SELECT n FROM a") == 2


async def test_four_processes_at_once_run_a_migration_once(connections: list[Any]) -> None:
    slow = make(1, "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);\nSELECT pg_sleep(0.3);")
    results = await asyncio.gather(
        *(migrate.apply(connection, [slow]) for connection in connections), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, MigrationError)]
    assert results.count([slow]) == 1
    assert len(refused) == 3
    assert all("are being applied by process" in str(error) for error in refused)
    assert await connections[0].fetchval("SELECT count(*) FROM a") == 1


async def test_a_migration_that_fails_leaves_nothing_behind_and_names_its_file(
    connections: list[Any],
) -> None:
    broken = make(1, "CREATE TABLE a (n int);\nSELECT 1/0;")
    with pytest.raises(MigrationError, match=r"0001_step\.sql: division by zero"):
        await migrate.apply(connections[0], [broken])
    assert await connections[0].fetchval("SELECT to_regclass('a')") is None


async def test_a_long_reader_is_waited_for_in_short_attempts_that_let_writers_pass(
    connections: list[Any],
) -> None:
    migrating, reader, writer, _ = connections
    await migrating.execute("CREATE TABLE a (n int)")
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT * FROM a")
    task = asyncio.create_task(
        migrate.apply(
            migrating,
            [make(1, "ALTER TABLE a ADD COLUMN m int;")],
            lock_timeout_seconds=0.2,
            pause_seconds=0.05,
        )
    )
    longest = 0.0
    loop = asyncio.get_running_loop()
    for _ in range(20):
        began = loop.time()
        await writer.execute("INSERT INTO a (n) VALUES (1)")
        longest = max(longest, loop.time() - began)
    assert not task.done()
    assert longest < 1  # one attempt is 0.2 s; the rest is for a busy machine
    await reading.rollback()
    assert len(await task) == 1


async def test_a_migration_that_never_gets_its_lock_says_why(connections: list[Any]) -> None:
    migrating, reader, *_ = connections
    await migrating.execute("CREATE TABLE a (n int)")
    async with reader.transaction():
        await reader.fetch("SELECT * FROM a")
        with pytest.raises(MigrationError, match="a long transaction uses the table"):
            await migrate.apply(
                migrating, [make(1, "DROP TABLE a;")], lock_timeout_seconds=0.01, pause_seconds=0
            )


async def test_an_interrupted_run_goes_on_after_the_last_step_that_was_done(connections: list[Any]) -> None:
    first, second, blocker, _ = connections
    await first.execute("CREATE TABLE a (n int)")
    steps = make(
        1,
        "-- outside transaction\nINSERT INTO a VALUES (1);\n"
        "CREATE INDEX CONCURRENTLY a_n ON a (n);\nINSERT INTO a VALUES (2);",
    )
    hold = blocker.transaction()
    await hold.start()
    await blocker.execute("INSERT INTO a VALUES (0)")  # the build of the index waits for this writer
    task = asyncio.create_task(migrate.apply(first, [steps]))
    while await second.fetchval("SELECT count(*) FROM pg_class WHERE relname = 'a_n'") == 0:
        await asyncio.wait([task], timeout=0.01)
    await second.execute("SELECT pg_terminate_backend($1)", first.get_server_pid())
    with pytest.raises((MigrationError, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await task
    await hold.rollback()
    assert (
        await second.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass") is False
    )
    assert await migrate.apply(second, [steps]) == [steps]
    assert await second.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass") is True
    assert [row["n"] for row in await second.fetch("SELECT n FROM a ORDER BY n")] == [1, 2]


async def test_a_migration_that_failed_is_mended_and_applied_again(connections: list[Any]) -> None:
    connection, *_ = connections
    await connection.execute("CREATE TABLE a (n int)")
    await connection.execute("INSERT INTO a VALUES (1), (1)")
    with pytest.raises(MigrationError, match=r"division by zero \(nothing of it was applied: mend"):
        await migrate.apply(connection, [make(1, "UPDATE a SET n = n / 0;")])
    whole = make(1, "UPDATE a SET n = n + 1;")
    unique = (
        "-- outside transaction\nINSERT INTO a VALUES (9);\nCREATE UNIQUE INDEX CONCURRENTLY a_n ON a (n);"
    )
    with pytest.raises(MigrationError, match="could not create unique index") as refusal:
        await migrate.apply(connection, [whole, make(2, unique)])
    assert "what is done of it is noted: mend" in str(refusal.value)
    mended = make(2, unique.replace("CREATE", "DELETE FROM a WHERE n = 2;\nCREATE"))
    assert await migrate.apply(connection, [whole, mended]) == [mended]
    assert [row["n"] for row in await connection.fetch("SELECT n FROM a")] == [9]
    assert await migrate.apply(connection, [whole, mended]) == []


class Grown(Product):
    __table__ = "products"
    name: str = Char(max_length=80, required=True)
    serial: int = Integer(required=True, unique=True)
    __indexes__: ClassVar[Sequence[Sequence[str]]] = (("kind", "-id"), ("stock", "name"))


async def test_a_plan_brings_a_database_to_models_that_could_not_be_reached_safely(
    database_url: str, connections: list[Any]
) -> None:
    db = Database(database_url)
    await db.open()
    try:
        await bring_up(db, Registry.compose(SHOP))
        grown = Registry.compose({**SHOP, "product": Grown})
        difference = await read_difference(db, grown)
        assert any("products.serial is missing" in sentence for sentence in difference.obstacles)
        files = write_plan(difference, 1)
        planned = [parse(int(name[:4]), name[5:-4], text) for name, text in files.items()]
        assert await migrate.apply(connections[0], planned) == planned
        await bring_up(db, grown)
        assert (await read_difference(db, grown)).changes == []
    finally:
        await db.close()


class Named(Product):
    __table__ = "products"
    slug: str | None = Char(unique=True)
    shade_id: int | None = One2one("shades")


class Shade(DotModel):
    __table__ = "shades"
    name: str | None = Char()


@pytest.mark.parametrize("has_started", [False, True])
async def test_a_new_unique_field_comes_to_a_table_that_is_there(
    database_url: str, connections: list[Any], has_started: bool
) -> None:
    db = Database(database_url)
    await db.open()
    try:
        await bring_up(db, Registry.compose(SHOP))
        named = Registry.compose({**SHOP, "product": Named, "shade": Shade})
        files = write_plan(await read_difference(db, named), 1)
        if has_started:  # before it is applied: what is safe is added, and the start refused
            with pytest.raises(SchemaMismatch, match="no unique constraint on slug"):
                await bring_up(db, named)
            await db.execute("INSERT INTO products (name, created_at, slug) VALUES ('a', now(), 'a')")
        planned = [parse(int(name[:4]), name[5:-4], text) for name, text in files.items()]
        assert await migrate.apply(connections[0], planned) == planned
        await bring_up(db, named)
        assert await read_difference(db, named) == Difference()
    finally:
        await db.close()


async def test_what_is_made_from_nothing_needs_no_migration(
    database_url: str, connections: list[Any], tmp_path: Path
) -> None:
    text = "ALTER TABLE products ADD COLUMN name varchar;"  # which a new table has from its model
    (tmp_path / "0001_name.sql").write_text(text)
    db = Database(database_url)
    await db.open()
    try:
        await bring_up(db, Registry.compose(SHOP), folder=tmp_path)
        assert await migrate.apply(connections[0], read_folder(tmp_path)) == []
    finally:
        await db.close()


class Owner(DotModel):
    __table__ = "owners"
    name: str | None = Char()


class Thing(DotModel):
    __table__ = "things"
    code: str | None = Char(unique=True)
    size: int | None = Integer()
    twice: int | None = Integer()
    thrice: int | None = Computed(sql="size * 3", of=Integer())
    owner_id: int | None = Many2one("owners")
    other_id: int | None = Many2one("owners")
    owners: list[Owner] = Many2many("owners", table="thing_owners", column1="thing_id", column2="owner_id")


class OtherThing(DotModel):
    __table__ = "things"
    code: str | None = Char()
    size: int | None = Integer()
    twice: int | None = Computed(sql="size * 2", of=Integer())
    thrice: int | None = Integer()
    owner_id: int | None = Many2one("owners", ondelete="cascade")
    other_id: int | None = Many2one("things")
    owners: list[Owner] = Many2many("owners", table="thing_owners", column1="item_id", column2="owner_id")


async def test_definitions_that_changed_under_their_names_are_noticed_and_planned(
    database_url: str, connections: list[Any]
) -> None:
    db = Database(database_url)
    await db.open()
    try:
        await bring_up(db, Registry.compose({"owner": Owner, "thing": Thing}))
        assert await read_difference(db, Registry.compose({"owner": Owner, "thing": Thing})) == Difference()
        changed = Registry.compose({"owner": Owner, "thing": OtherThing})
        difference = await read_difference(db, changed)
        assert difference.obstacles == [
            "things.thrice is computed, OtherThing.thrice is a plain field",
            "things.twice is plain, OtherThing.twice is computed: what it holds is lost",
            (
                "things.other_id refers to owners (on delete restrict), "
                "OtherThing.other_id to things (on delete restrict)"
            ),
            "thing_owners has no column item_id, which OtherThing.owners names; it has owner_id, thing_id",
        ]
        assert [change.sentence for change in difference.changes if not change.is_needed] == [
            (
                "things.owner_id refers to owners (on delete restrict), "
                "OtherThing.owner_id to owners (on delete cascade)"
            ),
            "things has a unique constraint on code that OtherThing no longer has",
        ]
        files = write_plan(difference, 1)
        planned = [parse(int(name[:4]), name[5:-4], text) for name, text in files.items()]
        assert await migrate.apply(connections[0], planned) == planned
        await bring_up(db, changed)
        assert await read_difference(db, changed) == Difference()
    finally:
        await db.close()
