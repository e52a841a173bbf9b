"""Documents: any JSON value, and nothing that JSON would quietly turn into another."""

import decimal
import math
from typing import Any

import msgspec
import pytest

from orm import Registry, ValidationError
from tests.support.models import SHOP

DATA = Registry.compose(SHOP).model("product").fields["data"]


class Point(msgspec.Struct):
    x: float | None = None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, "null", True]}, '{"a":[1,2.5,"null",true]}'),
        ([None, {"b": None}], '[null,{"b":null}]'),
        ((1, (None,)), "[1,[null]]"),
        ("null", '"null"'),
        (1e308, "1e308"),
        (Point(), '{"x":null}'),
        ({"d": decimal.Decimal("1.50"), "n": None}, '{"d":"1.50","n":null}'),
    ],
)
def test_a_document_is_kept_as_its_json(value: Any, text: str) -> None:
    assert DATA.to_column(value) == text


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("around", [lambda n: n, lambda n: {"a": [{"b": n}]}, lambda n: [1, (n,)], Point])
def test_a_number_that_is_none_is_refused_wherever_it_stands(number: float, around: Any) -> None:
    with pytest.raises(ValidationError, match=r"Product\.data contains NaN or an infinity"):
        DATA.to_column(around(number))


@pytest.mark.parametrize(
    "value", [object(), {"a": {1, object()}}, "a\0b", ["\0"], b"\xff".decode("latin-1") + "\ud800"]
)
def test_what_is_no_document_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        DATA.to_column(value)


def test_a_document_without_an_end_is_refused() -> None:
    endless: list[Any] = [None]
    endless.append(endless)
    with pytest.raises(ValidationError):
        DATA.to_column(endless)
    deep: list[Any] = [None]
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValidationError):
        DATA.to_column(deep)
