"""Dates and times: moments are aware and in UTC, and what the driver would take for infinity is refused."""

import datetime as dt
from typing import Any

import pytest

from orm import Registry, ValidationError
from tests.support.models import SHOP

FIELDS = Registry.compose(SHOP).model("product").fields


def test_a_moment_is_brought_to_utc() -> None:
    east = dt.datetime(2026, 1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=3)))
    assert FIELDS["created_at"].to_column(east) == dt.datetime(2025, 12, 31, 23, tzinfo=dt.UTC)
    assert FIELDS["created_at"].to_column("2026-01-01T00:00:00Z") == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", "2026-01-01T00:00:00"),
        ("created_at", dt.datetime(2026, 1, 1)),
        ("created_at", "9999-12-31T23:59:59.999999Z"),
        ("created_at", "0001-01-01T00:00:00Z"),
        ("created_at", "9999-12-31T23:59:59.999999-05:00"),
        ("created_at", dt.date(2026, 1, 1)),
        ("day", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        ("day", "2026-02-30"),
        ("hour", "25:00:00"),
        ("hour", "10:00:00Z"),
        ("hour", dt.time(10, tzinfo=dt.UTC)),
    ],
)
def test_what_is_no_such_time_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=f"Product.{field}"):
        FIELDS[field].to_column(value)


@pytest.mark.parametrize(("field", "value"), [("day", "2026-02-28"), ("hour", "23:59:59.5"), ("day", None)])
def test_what_is_one_is_taken(field: str, value: Any) -> None:
    taken = FIELDS[field].to_column(value)
    assert (taken is None) if value is None else str(taken).startswith(value[:8])
