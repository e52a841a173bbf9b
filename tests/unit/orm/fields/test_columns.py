"""A whole column is checked like each of its values."""

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ("price", [decimal.Decimal("1E+3"), decimal.Decimal("0.00"), decimal.Decimal("-0"), None]),
        ("price", [decimal.Decimal("1." + "0" * 2000)]),
        ("price", [decimal.Decimal("99999999.99")] * 3),
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
        ("price", [decimal.Decimal("1"), decimal.Decimal("sNaN")]),
        ("price", [decimal.Decimal("Infinity"), decimal.Decimal("-Infinity")]),
        ("price", [decimal.Decimal("1"), decimal.Decimal("1E+8")]),
        ("price", [decimal.Decimal("1"), decimal.Decimal("1E+999999")]),
        ("price", [decimal.Decimal("1"), decimal.Decimal("1E-999999")]),
        ("price", [decimal.Decimal("1"), decimal.Decimal("-0.01")]),
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


ANY_DECIMAL = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(
    min_value=-(10**9), max_value=10**9, places=2
)
ANY_VALUE: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(max_size=45),
    "kind": st.sampled_from(["good", "service", "bad", ""]),
    "price": ANY_DECIMAL,
    "stock": st.integers(-200, 2000) | st.booleans(),
    "views": st.integers(-(2**65), 2**65),
    "weight": st.floats() | st.integers(),
    "active": st.booleans() | st.integers(0, 1),
    "blob": st.binary(max_size=4) | st.text(max_size=4),
    "token": st.uuids() | st.just("no"),
    "day": st.dates() | st.datetimes(),
    "hour": st.times() | st.times(timezones=st.just(dt.UTC)),
    "created_at": st.datetimes(timezones=st.sampled_from([dt.UTC, ZoneInfo("Asia/Tokyo")])) | st.datetimes(),
    "category_id": st.integers(-(2**65), 2**65) | st.booleans(),
}


@pytest.mark.parametrize("name", ANY_VALUE)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_column_is_taken_exactly_when_each_of_its_values_is(name: str, data: st.DataObject) -> None:
    field = SHOP_FIELDS[name]
    values = data.draw(st.lists(st.none() | ANY_VALUE[name], min_size=1, max_size=5))

    def taken(make: Callable[[], list[Any]]) -> list[str] | None:
        try:
            return [repr(value) for value in make()]  # 1 and True are equal, and so are 1.0 and 1.00
        except ValidationError:
            return None

    assert taken(lambda: field.to_columns(values)) == taken(lambda: [field.to_column(one) for one in values])
