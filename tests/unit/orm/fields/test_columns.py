"""A whole column is checked like each of its values."""

import decimal
from typing import Any

import pytest

from orm import Registry, ValidationError
from tests.support.library import LIBRARY
from tests.support.models import SHOP

SHOP_FIELDS = Registry.compose(SHOP).model("product").fields
BOOK_FIELDS = Registry.compose(LIBRARY).model("book").fields


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", ["a", "ü", ""]),
        ("note", ["a", None, "b"]),
        ("note", [None, None]),
        ("stock", [1, -100, 1000]),
        ("price", [decimal.Decimal("1.5"), "2.25", None, 3]),
        ("active", [True, False]),
        ("kind", ["good", "service"]),
        ("weight", [1.5, 2, None]),
        ("created_at", ["2026-01-01T00:00:00Z"]),
    ],
)
def test_a_column_of_good_values_is_what_each_of_them_becomes(name: str, values: list[Any]) -> None:
    field = SHOP_FIELDS[name]
    assert field.to_columns(values) == [field.to_column(value) for value in values]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", ["a", "x" * 41]),
        ("name", ["a", None]),
        ("name", [None, None]),
        ("name", ["a", "b\0"]),
        ("name", ["a", 5]),
        ("code", ["ABC", "abc"]),
        ("stock", [1, 1001]),
        ("stock", [1, True]),
        ("price", [decimal.Decimal("1"), decimal.Decimal("1.005")]),
        ("price", [decimal.Decimal("NaN")]),
        ("weight", [1.0, decimal.Decimal("sNaN")]),
        ("weight", [1.0, float("inf")]),
        ("active", [True, 1]),
        ("kind", ["good", "bad"]),
    ],
)
def test_a_column_with_one_bad_value_is_refused(name: str, values: list[Any]) -> None:
    with pytest.raises(ValidationError):
        SHOP_FIELDS[name].to_columns(values)


def test_a_computed_column_is_not_written_not_even_with_nulls() -> None:
    with pytest.raises(ValidationError, match="computed by the database"):
        BOOK_FIELDS["value"].to_columns([None, None])
