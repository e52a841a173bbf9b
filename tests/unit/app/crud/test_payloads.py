"""What may be written, by kind of field: what its Struct takes, and where it says that it does not."""

import datetime as dt
import decimal
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from app.core.errors import Malformed
from app.crud.bodies import Bodies
from app.crud.payloads import (
    MOST_RECORDS,
    bulk_change_type,
    change_type,
    creation_type,
    given,
    named_change_type,
    values_type,
)
from orm import (
    BigInteger,
    Binary,
    Boolean,
    Char,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Integer,
    JSONField,
    Many2one,
    Ref,
    Registry,
    Selection,
    SmallInteger,
    Text,
    Time,
    Uuid,
    utc_now,
)
from orm.errors import Invalid, Problem


class Sample(DotModel):
    __table__ = "samples"

    name: str = Char(max_length=5, required=True)
    code: str | None = Char(max_length=9, min_length=2, pattern="^[A-Z]+$")
    kind: str = Selection(options=["good", "service"], default="good")
    price: decimal.Decimal | None = Decimal(6, 2)
    stock: int = Integer(default=0, min=-10, max=10)
    weight: float | None = Float(min=0)
    rating: int | None = SmallInteger()
    views: int | None = BigInteger()
    active: bool = Boolean(default=True)
    note: str | None = Text(max_length=100)
    data: Any | None = JSONField()
    blob: bytes | None = Binary()
    token: uuid.UUID | None = Uuid()
    day: dt.date | None = Date()
    hour: dt.time | None = Time()
    seen_at: dt.datetime | None = Datetime()
    parent_id: Ref["Sample"] | None = Many2one("samples")
    created_at: dt.datetime = Datetime(default=utc_now, readonly=True)
    secret: str | None = Char(private=True)


META = Registry.compose({"sample": Sample}).model("sample")
CREATION, CHANGE = "creation", "change"

EVERYTHING: Mapping[str, Any] = {
    "name": "äöüßé",
    "code": "AB",
    "kind": "service",
    "price": "12.50",
    "stock": -10,
    "weight": 0,
    "rating": 2**15 - 1,
    "views": 2**63 - 1,
    "active": False,
    "note": "",
    "data": {"a": [1, None, "x"]},
    "blob": "AAE=",
    "token": "12345678-1234-5678-1234-567812345678",
    "day": "2026-02-28",
    "hour": "23:59:59.5",
    "seen_at": "2026-02-28T12:00:00+02:00",
    "parent_id": 7,
}


def decode(kind: str, value: object) -> Any:
    return Bodies().decoded(META, kind, msgspec.json.encode(value))


def refused(kind: str, value: object) -> Problem:
    with pytest.raises(Invalid) as caught:
        decode(kind, value)
    return caught.value


def places(problem: Problem) -> dict[str, str]:
    return {place.pointer: place.code for place in problem.errors}


@pytest.mark.parametrize("kind", [CREATION, CHANGE])
def test_a_body_with_every_field_becomes_values_of_their_types(kind: str) -> None:
    values = given(decode(kind, EVERYTHING))
    assert values.keys() == EVERYTHING.keys()
    assert values["price"] == decimal.Decimal("12.50")
    assert values["blob"] == b"\0\1"
    assert values["token"] == uuid.UUID("12345678-1234-5678-1234-567812345678")
    assert values["day"] == dt.date(2026, 2, 28)
    assert values["hour"] == dt.time(23, 59, 59, 500_000)
    assert values["seen_at"] == dt.datetime(2026, 2, 28, 10, tzinfo=dt.UTC)
    assert values["data"] == {"a": [1, None, "x"]}


def test_what_is_left_out_is_no_value_and_null_is_one() -> None:
    assert given(decode(CREATION, {"name": "a", "note": None})) == {"name": "a", "note": None}
    assert given(decode(CHANGE, {})) == {}
    assert given(decode(CHANGE, {"data": None, "parent_id": None})) == {"data": None, "parent_id": None}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("name", "longer", "length"),
        ("name", None, "type"),
        ("name", 7, "type"),
        ("code", "A", "length"),
        ("code", "ab", "pattern"),
        ("kind", "goods", "choice"),
        ("kind", None, "type"),
        ("price", "abc", "format"),
        ("price", [], "type"),
        ("stock", 11, "range"),
        ("stock", -11, "range"),
        ("stock", 1.5, "type"),
        ("stock", "1", "type"),
        ("stock", True, "type"),
        ("stock", None, "type"),
        ("weight", -0.5, "range"),
        ("weight", "1", "type"),
        ("rating", 2**15, "range"),
        ("views", 2**63, "range"),
        ("active", 1, "type"),
        ("active", "true", "type"),
        ("note", "x" * 101, "length"),
        ("blob", "not base64!", "format"),
        ("token", "12345", "format"),
        ("day", "2026-02-30", "format"),
        ("day", "2026-02-28T00:00:00Z", "format"),
        ("hour", "25:00", "format"),
        ("seen_at", "2026-02-28T12:00:00", "format"),
        ("seen_at", 1_700_000_000, "type"),
        ("parent_id", "7", "type"),
        ("parent_id", 2**63, "range"),
        ("parent_id", {"id": 7}, "type"),
        ("id", 1, "readonly"),
        ("created_at", "2026-02-28T12:00:00Z", "readonly"),
        ("secret", "x", "readonly"),
        ("colour", "red", "unknown"),
        ("__init__", "x", "unknown"),
    ],
)
def test_a_value_that_does_not_fit_is_named_at_its_place(name: str, value: object, code: str) -> None:
    assert places(refused(CREATION, {"name": "a"} | {name: value})) == {f"/{name}": code}
    assert places(refused(CHANGE, {name: value})) == {f"/{name}": code}


def test_all_that_is_wrong_is_told_at_once() -> None:
    problem = refused(CREATION, {"stock": 11, "kind": 1, "id": 5, "colour": "red"})
    assert places(problem) == {
        "/name": "required",
        "/stock": "range",
        "/kind": "type",
        "/id": "readonly",
        "/colour": "unknown",
    }
    assert problem.detail == "The body is wrong in 5 places."


def test_a_read_only_field_is_not_called_unknown() -> None:
    assert refused(CHANGE, {"id": 5}).detail == "Sample.id cannot be written here"


@pytest.mark.parametrize("value", [[], "x", 7, None, [{"name": "a"}]])
def test_a_body_of_another_kind_is_wrong_as_a_whole(value: object) -> None:
    assert places(refused(CREATION, value)) == {"": "type"}


@pytest.mark.parametrize("text", [b"{", b'{"name": "a"', b"{}}", b"\xff", b"[" * 5000, b'{"name": "\xff"}'])
def test_what_is_not_json_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        Bodies().decoded(META, CREATION, text)


def test_many_new_rows_are_limited_and_each_wrong_one_is_named() -> None:
    many = "creations"
    assert len(decode(many, [{"name": "a"}] * MOST_RECORDS)) == MOST_RECORDS
    assert places(refused(many, [{"name": "a"}] * (MOST_RECORDS + 1))) == {"": "length"}
    assert places(refused(many, [{"name": "a"}, {"name": "longer"}, {}, {"id": 1, "name": "b"}])) == {
        "/1/name": "length",
        "/2/name": "required",
        "/3/id": "readonly",
    }


def test_a_bulk_change_has_values_and_says_which_rows() -> None:
    bulk = "bulk change"
    body = decode(bulk, {"filter": [["id", ">", 1]], "values": {"note": None}})
    assert (body.filter, given(body.values), body.all) == ([["id", ">", 1]], {"note": None}, False)
    assert places(refused(bulk, {"all": "yes", "values": {"stock": 99, "id": 1}, "where": 1})) == {
        "/values/stock": "range",
        "/values/id": "readonly",
        "/all": "type",
        "/where": "unknown",
    }
    assert places(refused(bulk, {"all": True})) == {"/values": "required"}


def test_the_types_have_names_of_their_own_for_documentation() -> None:
    creation, change = creation_type(META), change_type(META)
    types = [creation, change, bulk_change_type(META, values_type(META)), named_change_type(META)]
    assert [one.__name__ for one in types] == [
        "SampleCreation",
        "SampleChange",
        "SampleBulkChange",
        "SampleNamedChange",
    ]
    assert creation_type(META, without="parent_id").__name__ == "SampleCreationWithout_parent_id"
