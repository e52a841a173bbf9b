from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from app.http import json


class Plain(msgspec.Struct):
    price: Decimal


class Record:
    def as_dict(self) -> dict[str, object]:
        return {"id": 7, "price": Decimal("1.10")}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("10.50"), b'"10.50"'),
        (Plain(Decimal("0.1")), b'{"price":"0.1"}'),
        (datetime(2026, 1, 31, 12, 0, 0, 123000, tzinfo=UTC), b'"2026-01-31T12:00:00.123000Z"'),
        ([Record(), Record()], b'[{"id":7,"price":"1.10"},{"id":7,"price":"1.10"}]'),
        ({"nested": {"record": Record()}}, b'{"nested":{"record":{"id":7,"price":"1.10"}}}'),
        (msgspec.Raw(b'{"made":"elsewhere"}'), b'{"made":"elsewhere"}'),
        ("é\u2028", '"é\u2028"'.encode()),
    ],
)
def test_values_are_written_as_the_contract_says(value: object, text: bytes) -> None:
    assert json.encode(value) == text


def test_an_object_that_is_no_data_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        json.encode({"a": object()})
