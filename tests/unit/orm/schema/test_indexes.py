"""Declared indexes: their names, their texts, and conditions that none can have."""

import datetime as dt
from typing import Any

import pytest

from orm import (
    Boolean,
    Char,
    Datetime,
    Decimal,
    DeclarationError,
    DotModel,
    Index,
    Integer,
    JSONField,
    Many2one,
    Registry,
    Uuid,
)
from orm.filters.parse import Variable
from orm.schema.apply import fingerprint
from orm.schema.catalogue import Catalogue, Column
from orm.schema.difference import compare
from orm.schema.indexes import named_indexes


class Shelf(DotModel):
    __table__ = "shelves"

    name: str | None = Char()


def registry_with(*indexes: Any) -> Registry:
    class Box(DotModel):
        __table__ = "boxes"
        __indexes__ = indexes

        name: str | None = Char()
        size: int | None = Integer()
        price: Any = Decimal(10, 2)
        is_open: bool = Boolean(default=False)
        opened_at: dt.datetime | None = Datetime()
        data: Any = JSONField()
        token: Any = Uuid()
        shelf_id: int | None = Many2one("shelves")

    return Registry.compose({"box": Box, "shelf": Shelf})


def texts(*indexes: Any) -> list[str]:
    return [index.create() for index in named_indexes(registry_with(*indexes).model("box"))]


def test_an_index_with_a_condition_has_it_in_its_text_and_its_name() -> None:
    index = Index(["name", "-size"], where=[["is_open", "=", True], ["opened_at", "is not null"]])
    [named, foreign] = named_indexes(registry_with(index).model("box"))
    condition = '("is_open" = true::boolean AND "opened_at" IS NOT NULL)'
    assert named.condition == condition
    assert named.create() == f'CREATE INDEX "{named.name}" ON "boxes" ("name", "size" DESC) WHERE {condition}'
    assert named.create(concurrently=True).startswith("CREATE INDEX CONCURRENTLY ")
    assert named.name.startswith("boxes_name_size_")
    assert named.name.endswith("_idx")
    assert foreign.create() == 'CREATE INDEX "boxes_shelf_id_idx" ON "boxes" ("shelf_id")'


@pytest.mark.parametrize(
    ("condition", "sql"),
    [
        (["name", "=", "O'Neill\\"], "\"name\" = 'O''Neill\\'::text"),
        (["name", "in", ["a'b", "c,d"]], "\"name\" = ANY(ARRAY['a''b', 'c,d']::text[])"),
        (["size", "between", [1, 5]], "\"size\" BETWEEN '1'::bigint AND '5'::bigint"),
        (["price", ">", "1.50"], "\"price\" > '1.50'::numeric"),
        (["name", "!=", "x"], "(\"name\" = 'x'::text) IS NOT TRUE"),
        (
            ["or", ["size", "is null"], ["is_open", "=", False]],
            '("size" IS NULL OR "is_open" = false::boolean)',
        ),
        (["data", "contains", {"a": "'"}], '"data" @> \'{"a":"\'\'"}\'::jsonb'),
    ],
)
def test_constants_are_literals_of_their_types(condition: list[Any], sql: str) -> None:
    assert texts(Index(["size"], where=[condition]))[0].partition(" WHERE ")[2] == sql


def test_the_same_columns_with_other_conditions_are_other_indexes() -> None:
    many = [Index(["name"], where=[["size", "=", n]]) for n in range(3)]
    names = [index.name for index in named_indexes(registry_with(*many, ("name",)).model("box"))]
    assert len(set(names)) == 5
    assert "boxes_name_idx" in names


def test_an_index_of_some_rows_does_not_stand_in_for_that_of_a_foreign_key() -> None:
    partial = texts(Index(["shelf_id"], where=[["is_open", "=", True]]))
    assert 'CREATE INDEX "boxes_shelf_id_idx" ON "boxes" ("shelf_id")' in partial


def test_a_unique_one_names_the_fields_of_a_violation() -> None:
    box = registry_with(Index(["-name", "size"], where=[["is_open", "=", True]], unique=True)).model("box")
    [named, _] = named_indexes(box)
    assert named.create().startswith("CREATE UNIQUE INDEX ")
    assert box.constraint_fields(named.name) == ("name", "size")
    assert box.uniques == ()


def test_a_change_of_a_condition_changes_the_fingerprint() -> None:
    prints = {
        fingerprint(registry_with(*indexes))
        for indexes in (
            (),
            (Index(["name"], where=[["size", "=", 1]]),),
            (Index(["name"], where=[["size", "=", 2]]),),
        )
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        (Index(["name"], unique=True), "name its fields in __unique__"),
        (Index(["name"], where=[["colour", "=", 1]]), "Box has no field 'colour'"),
        (Index(["name"], where=[["size", "=", "x"]]), "size: expected `int`"),
        (Index(["name"], where=[["shelf_id.name", "=", "x"]]), "columns of the row itself"),
        (Index(["name"], where=[["not", ["shelf_id.name", "=", "x"]]]), "columns of the row itself"),
        (Index(["name"], where=[["size", "=", Variable("me", 1)]]), "with constants"),
        (Index(["colour"], where=[["size", "=", 1]]), "names 'colour', which is no stored field"),
    ],
)
def test_a_condition_that_no_index_can_have_is_refused(index: Index, sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence) as refused:
        registry_with(index)
    assert str(refused.value).startswith("Box.__indexes__")


def test_one_that_a_database_lacks_waits_for_a_migration() -> None:
    unique = Index(["name"], where=[["is_open", "=", True]], unique=True)
    registry = registry_with(unique, Index(["size"], where=[["is_open", "=", True]]))
    box = registry.model("box")
    types = {"name": "character varying(255)", "size": "integer", "price": "numeric(10,2)", "token": "uuid"}
    types |= {"id": "bigint", "is_open": "boolean", "opened_at": "timestamp with time zone"}
    types |= {"data": "jsonb", "shelf_id": "bigint"}
    there = {name: Column(types[name], not box.fields[name].nullable, True) for name in box.columns}
    names = frozenset({"boxes_shelf_id_idx", "boxes_shelf_id_fkey"})
    changes = compare([box], Catalogue({"boxes": there, "shelves": {}}, names)).changes
    assert [(change.is_needed, change.outside_transaction) for change in changes] == [
        (True, True),
        (False, True),
    ]
    assert changes[0].sentence == 'boxes has no unique index on name where "is_open" = true::boolean'
    assert changes[1].statements[0].startswith("CREATE INDEX CONCURRENTLY ")
