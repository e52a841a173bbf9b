"""What the filter language accepts, and where it says that something is wrong."""

from typing import Any

import pytest

from orm import AccessDenied, FilterError, Grant, Registry
from orm.filters.parse import HTTP_LIMITS, BoundFilter, parse_filter
from tests.support.models import SHOP, Product

META = Registry.compose(SHOP).of(Product)


@pytest.mark.parametrize(
    ("filter", "shape", "values"),
    [
        ([], ("and",), ()),
        ([["stock", "=", 3]], ("cmp", "stock", "="), (3,)),
        ([["stock", "!=", 3]], ("not", ("cmp", "stock", "=")), (3,)),
        ([["note", "=", None]], ("null", "note"), ()),
        ([["note", "!=", None]], ("not", ("null", "note")), ()),
        ([["note", "is null"]], ("null", "note"), ()),
        ([["note", "is not null", None]], ("not", ("null", "note")), ()),
        ([["stock", "in", [1, 2]]], ("in", "stock", False), ([1, 2],)),
        ([["stock", "in", [1, None]]], ("in", "stock", True), ([1],)),
        ([["stock", "not in", []]], ("not", ("in", "stock", False)), ([],)),
        ([["stock", "between", [1, 2]]], ("between", "stock"), (1, 2)),
        ([["data", "contains", {"a": 1}]], ("contains", "data"), ('{"a":1}',)),
        (
            [["stock", ">", 1], ["name", "ilike", "a%"]],
            ("and", ("cmp", "stock", ">"), ("like", "name", "ilike")),
            (1, "a%"),
        ),
        (
            [["or", ["stock", "<", 1], ["not", ["active", "=", True]]]],
            ("or", ("cmp", "stock", "<"), ("not", ("cmp", "active", "="))),
            (1, True),
        ),
        ([["category_id.name", "=", "x"]], ("via", "category_id", ("cmp", "name", "="), None), ("x",)),
        (
            [["category_id", "some", [["name", "=", "x"], ["parent_id", "is null"]]]],
            ("via", "category_id", ("and", ("cmp", "name", "="), ("null", "parent_id")), None),
            ("x",),
        ),
        ([["category_id", "none", []]], ("not", ("via", "category_id", ("and",), None)), ()),
        (
            [["category_id.parent_id.name", "!=", "x"]],
            ("not", ("via", "category_id", ("via", "parent_id", ("cmp", "name", "="), None), None)),
            ("x",),
        ),
    ],
)
def test_a_filter_becomes_a_shape_and_its_values(
    filter: list[Any], shape: tuple[Any, ...], values: tuple[Any, ...]
) -> None:
    assert parse_filter(META, filter) == BoundFilter(shape, values)


@pytest.mark.parametrize(
    ("filter", "pointer", "code"),
    [
        ("name", "/filter", "type"),
        (["name", "=", "x"], "/filter", "type"),
        ([["name", "=", "x"], 5], "/filter/1", "type"),
        ([[]], "/filter/0", "type"),
        ([["name"]], "/filter/0", "type"),
        ([["name", "=", "x", "y"]], "/filter/0", "type"),
        ([["nam", "=", "x"]], "/filter/0/0", "unknown_field"),
        ([["name; DROP TABLE x", "=", "x"]], "/filter/0/0", "unknown_field"),
        ([["name.first", "=", "x"]], "/filter/0/0", "not_a_relation"),
        ([["category_id.nam", "=", "x"]], "/filter/0/0", "unknown_field"),
        ([["name", "~", "x"]], "/filter/0/1", "unknown_operator"),
        ([["name", "= 1 OR 1=1 --", "x"]], "/filter/0/1", "unknown_operator"),
        ([["stock", "=", "x"]], "/filter/0/2", "type"),
        ([["stock", "=", True]], "/filter/0/2", "type"),
        ([["stock", "=", 2**63]], "/filter/0/2", "type"),
        ([["stock", "<", None]], "/filter/0/2", "type"),
        ([["stock", "in", 5]], "/filter/0/2", "type"),
        ([["stock", "in", [1, "x"]]], "/filter/0/2/1", "type"),
        ([["stock", "between", [1]]], "/filter/0/2", "type"),
        ([["stock", "like", "1%"]], "/filter/0/1", "operator_type"),
        ([["name", "contains", "x"]], "/filter/0/1", "operator_type"),
        ([["data", "<", 1]], "/filter/0/1", "operator_type"),
        ([["name", "like", "x\\"]], "/filter/0/2", "pattern"),
        ([["name", "=", "a\0b"]], "/filter/0/2", "type"),
        ([["name", "=", "\ud800"]], "/filter/0/2", "type"),
        ([["created_at", "<", "2026-01-01T00:00:00"]], "/filter/0/2", "type"),
        ([["created_at", "<", "yesterday"]], "/filter/0/2", "type"),
        ([["token", "=", "not-a-uuid"]], "/filter/0/2", "type"),
        ([["price", "=", "1,5"]], "/filter/0/2", "type"),
        ([["category_id", "allowed", "explode"]], "/filter/0/2", "type"),
        ([["name", "allowed", "read"]], "/filter/0/1", "operator_type"),
        ([["or"]], "/filter/0", "type"),
        ([["stock", "some", []]], "/filter/0/1", "operator_type"),
        ([["category_id", "some", [["x", "=", 1]]]], "/filter/0/2/0/0", "unknown_field"),
        ([["category_id", "some", "x"]], "/filter/0/2", "type"),
        ([["category_id", "some", None]], "/filter/0/2", "type"),
        ([["category_id", "none", None]], "/filter/0/2", "type"),
        ([["category_id", "some", {}]], "/filter/0/2", "type"),
        ([["data", "=", float("nan")]], "/filter/0/2", "type"),
        ([["data", "contains", {"a": [float("inf")]}]], "/filter/0/2", "type"),
        ([["not", ["stock", "=", 1], ["stock", "=", 2]]], "/filter/0", "type"),
        ([["stock", "in", list(range(1001))]], "/filter/0/2", "too_many"),
        ([["stock", "is null", False]], "/filter/0/2", "type"),
        ([["stock", "is not null", 1]], "/filter/0/2", "type"),
        ({}, "/filter", "type"),
        ("", "/filter", "type"),
        ([["stock", "=", 1]] * 201, "/filter/200", "too_many"),
    ],
)
def test_a_wrong_filter_is_refused_at_its_place(filter: Any, pointer: str, code: str) -> None:
    with pytest.raises(FilterError) as refusal:
        parse_filter(META, filter, limits=HTTP_LIMITS, pointer="/filter")
    assert [(place.pointer, place.code) for place in refusal.value.errors] == [(pointer, code)]


def test_a_filter_nested_too_deeply_is_refused() -> None:
    condition: list[Any] = ["stock", "=", 1]
    for _ in range(10):
        condition = ["not", condition]
    with pytest.raises(FilterError, match="nested deeper than 10"):
        parse_filter(META, [condition])
    assert parse_filter(META, [condition[1]]).values == (1,)


def test_a_hidden_field_is_denied_and_named() -> None:
    with pytest.raises(AccessDenied, match=r"Product\.price"):
        parse_filter(META, [["price", ">", 1]], hidden=frozenset({"price"}))


def test_a_dotted_path_asks_for_the_grant_on_the_other_model_and_takes_over_its_rule() -> None:
    rule = BoundFilter(("cmp", "id", "="), (5,))
    asked = []

    def related(meta: Any, operation: str) -> Grant:
        asked.append((meta.name, operation))
        return Grant(rule=rule, hidden=frozenset({"parent_id"}))

    parsed = parse_filter(META, [["category_id.name", "=", "x"]], related=related)
    assert parsed == BoundFilter(("via", "category_id", ("cmp", "name", "="), rule.shape), ("x", 5))
    assert asked == [("Category", "read")]
    with pytest.raises(AccessDenied, match=r"Category\.parent_id"):
        parse_filter(META, [["category_id.parent_id", "=", 1]], related=related)


def test_allowed_is_the_rule_of_the_other_model() -> None:
    rule = BoundFilter(("cmp", "id", "="), (5,))

    def related(meta: Any, operation: str) -> Grant:
        if operation == "delete":
            raise AccessDenied("no")
        return Grant(rule=rule)

    read = parse_filter(META, [["category_id", "allowed", "read"]], related=related)
    assert read == BoundFilter(("via", "category_id", ("and",), rule.shape), (5,))
    assert parse_filter(META, [["category_id", "allowed", "delete"]], related=related).shape == ("or",)
