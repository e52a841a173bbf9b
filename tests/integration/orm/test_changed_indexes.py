"""Indexes that a model no longer declares, or declares otherwise; and those that somebody made by hand."""

from typing import Any

from orm import (
    Char,
    Database,
    Index,
    Integer,
    Registry,
)
from orm.schema.apply import bring_up, read_difference
from orm.schema.difference import Difference
from tests.integration.orm.things import apply, thing


def indexed(*indexes: Any, **attributes: Any) -> Registry:
    fields = {"size": Integer(), "name": Char(), "made": Integer(), **attributes}
    return thing(**fields, __indexes__=indexes)


async def names(db: Database) -> set[str]:
    rows = await db.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'things'::regclass"
    )
    return {row[0] for row in rows} - {"things_pkey"}


async def test_indexes_that_a_model_no_longer_declares_are_dropped_and_others_built(
    db: Database, connection: Any
) -> None:
    partial = Index(["name"], where=[["made", ">", 5]])
    unique = Index(["size"], where=[["made", ">", 5]], unique=True)
    await bring_up(db, indexed(("size",), ("name", "-size"), partial, unique, ("made", "size")))
    changed = indexed(("name", "size"), ("made", "name"), ("made", "size"))
    difference = await read_difference(db, changed)
    assert difference.obstacles == []
    assert [change.sentence for change in difference.changes][:2] == [
        "things has the index things_name_size_idx on name, -size, the model on name, size",
        "things has no index on made, name",
    ]
    assert sum("that Thing no longer has" in change.sentence for change in difference.changes) == 3
    await apply(connection, difference)
    assert await names(db) == {"things_name_size_idx", "things_made_name_idx", "things_made_size_idx"}
    await bring_up(db, changed)
    assert await read_difference(db, changed) == Difference()
    again = await read_difference(db, indexed())  # what a plan built is as much ours as what a start made
    assert (len(again.changes), again.notes) == (3, [])


async def test_an_index_that_somebody_made_is_never_dropped_whatever_its_name(
    db: Database, connection: Any
) -> None:
    await bring_up(db, indexed())
    await db.execute("CREATE INDEX ON things (size)")
    await db.execute("CREATE INDEX ON things (name)")
    await db.execute("CREATE INDEX mine ON things (made)")
    await db.execute("CREATE INDEX things_made_name_idx ON things USING gin (to_tsvector('simple', name))")
    declared = indexed(("-size",), ("made", "name"))
    difference = await read_difference(db, declared)
    assert difference.changes == []
    assert [note.partition(",")[0] for note in difference.notes] == [
        "things has another index under the name of the index on -size",
        "things has another index under the name of the index on made",
        "things has an index things_name_idx that Thing does not declare; it may be made by hand",
    ]
    await bring_up(db, declared)
    assert (await read_difference(db, indexed())).changes == []  # nor did the start take them for its own


async def test_an_index_of_a_column_that_the_model_does_not_know_stays_with_it(db: Database) -> None:
    await bring_up(db, indexed(("old", "size"), old=Integer()))
    assert await read_difference(db, indexed()) == Difference()


async def test_the_mark_of_an_index_does_not_outlive_it(db: Database) -> None:
    await bring_up(db, indexed(("size",)))
    await db.execute("DROP INDEX things_size_idx")
    await db.execute("CREATE INDEX ON things (size)")  # PostgreSQL calls it as it was called
    difference = await read_difference(db, indexed())
    assert difference.changes == []
    assert "may be made by hand" in difference.notes[0]


async def test_a_person_may_have_said_something_else_of_an_index(db: Database) -> None:
    registry = indexed(("size",))
    await bring_up(db, registry)
    await db.execute("COMMENT ON INDEX things_size_idx IS 'for the report of sales'")
    await db.execute("DELETE FROM starling_schema WHERE key = 'fingerprint'")
    await bring_up(db, registry)
    described = "SELECT obj_description('things_size_idx'::regclass, 'pg_class')"
    assert await db.fetchval(described) == "for the report of sales"


async def test_a_database_of_an_older_version_learns_which_indexes_are_ours(db: Database) -> None:
    registry = indexed(("size",))
    await bring_up(db, registry)
    await db.execute("COMMENT ON INDEX things_size_idx IS NULL")
    await db.execute("UPDATE starling_schema SET value = 'before' WHERE key = 'fingerprint'")
    await bring_up(db, registry)
    [change] = (await read_difference(db, indexed())).changes
    assert change.statements == ('DROP INDEX CONCURRENTLY IF EXISTS "things_size_idx"',)
