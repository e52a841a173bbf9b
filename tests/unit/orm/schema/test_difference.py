"""Changes of computed columns and indexes, in an order that works."""

from typing import Any

import pytest

from orm import BigInteger, Computed, DotModel, Integer, Registry
from orm.schema.catalogue import Catalogue, Column, Dependent, IndexThere
from orm.schema.difference import Difference, compare
from orm.schema.migrations import parse, write_plan
from orm.schema.names import LONGEST, successor_name

MADE_AGAIN = 'ALTER TABLE "boxes" ADD COLUMN "made" integer GENERATED ALWAYS AS (size\n  * 3) STORED'
SIZE_GROWS = 'ALTER TABLE "boxes" ALTER COLUMN "size" TYPE bigint USING "size"::bigint'
PLAIN = Dependent("index", "by_hand", "CREATE INDEX by_hand ON boxes USING hash (made)")
UNIQUE = Dependent("index", "u", "CREATE UNIQUE INDEX u ON boxes USING btree (made)", True, True)
CHECK = Dependent("constraint", 'so "called"', "CHECK (made > 0)")
VIEW = Dependent("other", "view seen")


def box(*, is_wide: bool = False, indexes: Any = ()) -> Registry:
    wide, narrow = BigInteger(), Integer()

    class Box(DotModel):
        __table__ = "boxes"
        __indexes__ = indexes

        made: int | None = Computed(sql="size\n  * 3", of=Integer())
        size: int | None = wide if is_wide else narrow

    return Registry.compose({"box": Box})


def against(registry: Registry, server: int = 16, *, is_outdated: bool = True, **there: Any) -> Difference:
    columns = {
        "id": Column("bigint", True, True),
        "size": Column("integer", False, False),
        "made": Column("integer", False, True, True, "(size * 2)"),
    }
    names = frozenset(there.get("indexes", ()))
    catalogue = Catalogue({"boxes": columns}, names, server=server, **there)
    return compare(registry, catalogue, frozenset({("boxes", "made")} if is_outdated else ()))


def texts(difference: Difference) -> list[str]:
    return [text for change in difference.changes for text in change.statements]


def test_a_server_that_can_changes_an_expression_in_its_place() -> None:
    [change] = against(box(), 17).changes
    assert not change.is_needed
    assert change.sentence == (
        "boxes.made is computed as (size * 2), Box.made as size * 3: changing it rewrites every row"
    )
    assert change.statements == (
        "-- PostgreSQL 17 or newer",
        'ALTER TABLE "boxes" ALTER COLUMN "made" SET EXPRESSION AS (size\n  * 3)',
    )


def test_before_that_what_stands_on_the_column_is_made_again_behind_it() -> None:
    difference = against(box(), dependents={("boxes", "made"): (PLAIN, UNIQUE, CHECK, VIEW)})
    assert texts(difference) == [
        "-- view seen stands on it: drop that before, and make it again behind",
        'ALTER TABLE "boxes" DROP COLUMN "made"',
        MADE_AGAIN,
        'ALTER TABLE "boxes" ADD CONSTRAINT "so ""called""" CHECK (made > 0)',
        "CREATE UNIQUE INDEX u ON boxes USING btree (made)",
        "COMMENT ON INDEX \"u\" IS 'starling made it for a model'",
        "CREATE INDEX CONCURRENTLY by_hand ON boxes USING hash (made)",
    ]
    files = write_plan(difference, 1)
    assert parse(1, "columns", files["0001_columns.sql"]).statements[-1].startswith("COMMENT")
    assert parse(2, "indexes", files["0002_indexes.sql"]).outside_transaction


@pytest.mark.parametrize("is_outdated", [False, True])
def test_a_type_is_changed_between_dropping_and_making_what_is_computed_from_it(is_outdated: bool) -> None:
    dependents = {("boxes", "size"): (Dependent("computed", "made"),)}
    difference = against(box(is_wide=True), 17, is_outdated=is_outdated, dependents=dependents)
    assert texts(difference) == ['ALTER TABLE "boxes" DROP COLUMN "made"', SIZE_GROWS, MADE_AGAIN]


def test_a_computed_column_that_the_model_does_not_know_is_named_to_the_reader_of_the_plan() -> None:
    dependents = {("boxes", "size"): (Dependent("computed", "old"),)}
    found = texts(against(box(is_wide=True), is_outdated=False, dependents=dependents))
    assert found == ["-- column old stands on it: drop that before, and make it again behind", SIZE_GROWS]


def test_an_index_in_another_form_serves_until_the_new_one_is_there() -> None:
    name = "boxes_size_made_idx"
    there = {name: IndexThere("boxes", ("size", "made"), is_ours=True)}
    [change] = against(box(indexes=[("-size", "made")]), is_outdated=False, indexes=there).changes
    assert not change.is_needed
    assert change.outside_transaction
    assert change.statements == (
        f'CREATE INDEX CONCURRENTLY "{name}_new" ON "boxes" ("size" DESC, "made")',
        f"COMMENT ON INDEX \"{name}_new\" IS 'starling made it for a model'",
        f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"',
        f'ALTER INDEX "{name}_new" RENAME TO "{name}"',
    )


@pytest.mark.parametrize(
    ("there", "has_note"),
    [
        (IndexThere("boxes", ("size",)), True),  # PostgreSQL's own name for it is ours
        (IndexThere("boxes", ("made",)), False),  # plainly somebody's
        (IndexThere("boxes", None), False),
        (IndexThere("boxes", ("old",), is_ours=True), False),  # of a column that the model does not know
    ],
)
def test_an_index_without_our_mark_is_never_dropped(there: IndexThere, has_note: bool) -> None:
    difference = against(box(), is_outdated=False, indexes={"boxes_size_idx": there})
    assert (difference.changes, bool(difference.notes)) == ([], has_note)


def test_the_name_of_a_successor_is_no_longer_than_names_may_be() -> None:
    assert successor_name("a") == "a_new"
    assert len(successor_name("a" * LONGEST)) == LONGEST
    assert successor_name("a" * LONGEST) != successor_name("a" * (LONGEST - 1))
