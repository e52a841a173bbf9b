"""Expressions and defaults that a model says otherwise than before: noticed, planned, applied."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from orm import (
    BigInteger,
    Char,
    Computed,
    Database,
    Datetime,
    Index,
    Integer,
    Registry,
)
from orm.schema.apply import SchemaMismatch, bring_up, read_difference
from orm.schema.catalogue import read_catalogue
from orm.schema.difference import Difference, compare
from orm.schema.expressions import read_definitions
from orm.schema.migrations import write_plan
from tests.integration.orm.things import apply, thing


def box(sql: str, *, size: Any = None, of: Any = None) -> Registry:
    """A model with much that stands on a computed column."""
    return thing(
        size=size or Integer(),
        name=Char(),
        made=Computed(sql=sql, of=of or Integer(), unique=True),
        __unique__=(("made", "name"),),
        __indexes__=(
            ("-made", "name"),
            ("name",),
            Index(["name"], where=[["made", ">", 5]]),
            Index(["size"], where=[["made", ">", 7]], unique=True),
        ),
    )


async def by_hand(db: Database) -> None:
    await db.execute("CREATE INDEX hand_made ON things USING hash (made)")
    await db.execute("CREATE INDEX of_words ON things USING gin (to_tsvector('simple', name)) WHERE made > 9")
    await db.execute("ALTER TABLE things ADD CONSTRAINT is_small CHECK (made < 1000)")


async def standing(db: Database) -> set[tuple[Any, ...]]:
    """Indexes, constraints and comments as they are."""
    rows = await db.fetch(
        "SELECT pg_get_indexdef(indexrelid, 0, true), obj_description(indexrelid, 'pg_class'), indisvalid"
        " FROM pg_index WHERE indrelid = 'things'::regclass"
        " UNION SELECT pg_get_constraintdef(oid, true), conname, convalidated FROM pg_constraint"
        " WHERE conrelid = 'things'::regclass"
    )
    return {tuple(row) for row in rows}


async def as_on(db: Database, registry: Registry, server: int) -> Difference:
    """The difference as a server of that version would have it."""
    catalogue = await read_catalogue(db, registry)
    if catalogue.server < server:
        pytest.skip(f"the server is PostgreSQL {catalogue.server}")
    reading = await read_definitions(db, registry, replace(catalogue, server=server))
    return compare(registry, reading.catalogue, reading.outdated)


@pytest.mark.parametrize("server", [14, 17])
async def test_another_expression_is_told_at_the_start_and_planned_with_all_that_stands_on_it(
    db: Database, connection: Any, server: int, caplog: pytest.LogCaptureFixture
) -> None:
    await bring_up(db, box("size * 2"))
    await by_hand(db)
    await db.execute("INSERT INTO things (size) VALUES (1), (2)")
    before = await standing(db)
    changed = box("size * 3")
    with caplog.at_level(logging.WARNING):
        await bring_up(db, changed)
    assert "things.made is computed as (size * 2), Thing.made as size * 3" in caplog.text
    difference = await as_on(db, changed, server)
    planned = await apply(connection, difference)
    assert [one.file for one in planned] == (
        ["0001_columns.sql"] if server == 17 else ["0001_columns.sql", "0002_indexes.sql"]
    )
    assert await standing(db) == before
    assert [row[0] for row in await db.fetch("SELECT made FROM things ORDER BY id")] == [3, 6]
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()


async def test_a_column_that_another_is_computed_from_changes_its_type(db: Database, connection: Any) -> None:
    await bring_up(db, box("size * 2"))
    await by_hand(db)
    await db.execute("INSERT INTO things (size) VALUES (1), (2)")
    before = await standing(db)
    changed = box("size * 2", size=BigInteger())
    await apply(connection, await read_difference(db, changed))
    assert await standing(db) == before
    assert [row[0] for row in await db.fetch("SELECT made FROM things ORDER BY id")] == [2, 4]
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()


@pytest.mark.parametrize("sql", ["size * 2", "size * 3"], ids=["the same", "another"])
async def test_a_computed_column_changes_its_type(db: Database, connection: Any, sql: str) -> None:
    await bring_up(db, box("size * 2"))
    changed = box(sql, of=BigInteger())
    await apply(connection, await read_difference(db, changed))
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()


async def test_an_expression_may_name_what_the_same_plan_adds(db: Database, connection: Any) -> None:
    await bring_up(db, thing(size=Integer(), made=Computed(sql="size * 2", of=Integer())))
    changed = thing(
        made=Computed(sql="size * factor + extra", of=Integer()),
        size=BigInteger(),
        factor=Integer(required=True),
        extra=Integer(default=1),
    )
    await apply(connection, await read_difference(db, changed))
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()
    await db.execute("INSERT INTO things (size, factor) VALUES (5, 3)")
    assert await db.fetchval("SELECT made FROM things") == 16


async def test_a_plain_column_that_becomes_computed_keeps_the_indexes_on_it(
    db: Database, connection: Any
) -> None:
    def with_made(made: Any) -> Registry:
        return thing(size=Integer(), made=made, __indexes__=(("made", "size"),))

    await bring_up(db, with_made(Integer()))
    changed = with_made(Computed(sql="size + 1", of=Integer()))
    await apply(connection, await read_difference(db, changed))
    assert await read_difference(db, changed) == Difference()


async def test_what_keeps_a_column_from_being_dropped_is_named_in_the_plan(db: Database) -> None:
    await bring_up(db, box("size * 2"))
    await db.execute("CREATE VIEW seen AS SELECT made FROM things")
    text = write_plan(await as_on(db, box("size * 3"), 16), 1)["0001_columns.sql"]
    assert "-- view seen stands on it: drop that before, and make it again behind" in text


async def test_another_default_is_warned_of_and_planned(
    db: Database, connection: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await bring_up(
        db,
        thing(
            changed=Integer(default=1), gone=Integer(default=2), come=Integer(), called=Datetime(),
            same=Integer(default=4), retyped=Integer(default=5), other=Char(default="x"),
            lost=Char(default="y"),
        ),
    )  # fmt: skip
    # a person's: no model has such a one
    await db.execute("ALTER TABLE things ALTER called SET DEFAULT now()")
    changed = thing(
        changed=Integer(default=10), gone=Integer(), come=Integer(default=3), called=Datetime(),
        same=Integer(default=4), retyped=BigInteger(default=5), other=Integer(default=6), lost=Integer(),
    )  # fmt: skip
    with caplog.at_level(logging.WARNING), pytest.raises(SchemaMismatch, match="retyped is integer"):
        await bring_up(db, changed)
    difference = await read_difference(db, changed)
    assert [change.sentence for change in difference.changes if not change.is_needed] == [
        "things.changed has the default 1, Thing.changed '10'::integer",
        "things.gone has the default 2, Thing.gone null",
        "things.come has the default null, Thing.come '3'::integer",
    ]
    await apply(connection, difference)
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()
    await db.execute("INSERT INTO things DEFAULT VALUES")
    [row] = await db.fetch("SELECT changed, gone, come, same, retyped, other, lost FROM things")
    assert tuple(row) == (10, None, 3, 4, 5, 6, None)


async def test_a_start_warns_once_of_another_default_and_then_stays_one_statement(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await bring_up(db, thing(size=Integer(default=1)))
    changed = thing(size=Integer(default=2))
    with caplog.at_level(logging.WARNING):
        await bring_up(db, changed)
    assert "things.size has the default 1, Thing.size '2'::integer; `starling migrate plan`" in caplog.text
    await bring_up(db, changed)
    before = db.pool.round_trips
    await bring_up(db, changed)
    assert db.pool.round_trips - before == 1


@pytest.mark.parametrize("text", ["'7'::bigint", "7::smallint", "(7)::bigint", "'7'", "7.0"])
async def test_a_default_of_the_same_value_is_the_same_default(db: Database, text: str) -> None:
    registry = thing(size=Integer(default=7))
    await bring_up(db, registry)
    await db.execute(f"ALTER TABLE things ALTER size SET DEFAULT {text}")
    assert await read_difference(db, registry) == Difference()
