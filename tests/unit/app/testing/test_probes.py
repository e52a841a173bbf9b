"""Which requests the access matrix makes, and with what rows."""

from typing import Any

import pytest

from app.testing.probes import ABSENT, made_up, row_probes, table_probes
from orm import Boolean, Char, DotModel, Integer, Many2one, Ref, Registry, Selection, Text
from orm.metadata import ModelMeta


class Shelf(DotModel):
    __table__ = "shelves"
    __route__ = "racks"

    name: str = Char(max_length=20, min_length=3, required=True)
    kind: str = Selection(options=[("low", "Low"), ("high", "High")], required=True)
    height: int = Integer(min=10, max=20, required=True)
    is_open: bool = Boolean(required=True)
    note: str | None = Text()


class Jar(DotModel):
    __table__ = "jars"

    shelf_id: Ref[Shelf] = Many2one(Shelf, required=True, ondelete="cascade")


class Receipt(DotModel):
    __table__ = "receipts"
    __auto_crud__ = "read"

    code: str = Char(max_length=5, pattern="^[A-Z]+$", required=True)


@pytest.fixture
def registry() -> Registry:
    return Registry.compose({"shelf": Shelf, "jar": Jar, "receipt": Receipt})


def meta(registry: Registry, table: str) -> ModelMeta:
    found = registry.table(table)
    assert found is not None
    return found


def test_a_row_is_made_up_from_what_its_fields_say(registry: Registry) -> None:
    assert made_up(meta(registry, "shelves")) == {"name": "xxx", "kind": "low", "height": 10, "is_open": True}


@pytest.mark.parametrize("table", ["jars", "receipts"])
def test_a_row_that_needs_another_or_a_pattern_is_not_made_up(registry: Registry, table: str) -> None:
    assert made_up(meta(registry, table)) is None


def test_every_operation_is_probed_on_one_row_and_on_many(registry: Registry) -> None:
    shelves = meta(registry, "shelves")

    found = [(probe.operation, probe.name) for probe in table_probes(shelves, made_up(shelves))]

    assert found == [
        ("read", "GET /api/racks?limit=1"),
        ("read", "GET /api/racks?limit=1&count=exact"),
        ("read", "POST /api/racks/search"),
        ("read", f"GET /api/racks/{ABSENT}"),
        ("read", "POST /api/racks/aggregate"),
        ("read", "GET /api/racks/export?format=jsonl&limit=1"),
        ("create", "GET /api/racks/defaults"),
        ("create", "POST /api/racks"),
        ("create", "POST /api/racks"),
        ("update", f"PATCH /api/racks/{ABSENT}"),
        ("update", "PATCH /api/racks"),
        ("delete", f"DELETE /api/racks/{ABSENT}"),
        ("delete", "POST /api/racks/delete"),
    ]


def test_a_model_that_is_only_read_is_only_asked_for_reading(registry: Registry) -> None:
    receipts = meta(registry, "receipts")

    assert {probe.operation for probe in table_probes(receipts, None)} == {"read"}
    assert [probe.name for probe in row_probes(receipts, 7)] == ["GET /api/receipts/7"]


def test_a_bulk_change_names_a_field_that_no_right_rests_on(registry: Registry) -> None:
    bodies: list[Any] = [
        probe.body for probe in table_probes(meta(registry, "shelves"), None) if probe.method == "PATCH"
    ]

    assert bodies == [{}, {"filter": [["id", "=", ABSENT]], "values": {"name": "xxx"}}]
