"""Fields whose values are dates and times. Moments are aware and in UTC."""

import datetime
from typing import Any, Final, Unpack

from orm.fields.base import Field, FieldOptions

EARLIEST: Final = datetime.datetime.min.replace(tzinfo=datetime.UTC)
LATEST: Final = datetime.datetime.max.replace(tzinfo=datetime.UTC)
"""The driver takes these two for infinities, and gives them back without a zone."""


class DateField(Field):
    """A day."""

    kind = "date"
    python_type = datetime.date

    @property
    def column_type(self) -> str:
        return "date"

    def fits(self, value: Any) -> bool:
        return value.__class__ is datetime.date

    def encode(self, value: Any) -> Any:
        # a datetime is a date to Python; the driver would cut off its time without a word
        if isinstance(value, datetime.datetime):
            raise self.invalid("is a moment, expected a day")
        return value


class TimeField(Field):
    """A time of day without a zone."""

    kind = "time"
    python_type = datetime.time

    @property
    def column_type(self) -> str:
        return "time"

    def fits(self, value: Any) -> bool:
        return value.__class__ is datetime.time and value.tzinfo is None

    def constraints(self) -> dict[str, Any]:
        return {"tz": False}

    def encode(self, value: Any) -> Any:
        if value.tzinfo is not None:
            raise self.invalid("has a zone, expected a time of day without one")
        return value


class DatetimeField(Field):
    """A moment: aware, kept and given back in UTC."""

    kind = "datetime"
    python_type = datetime.datetime

    @property
    def column_type(self) -> str:
        return "timestamptz"

    def constraints(self) -> dict[str, Any]:
        return {"tz": True}

    def fits(self, value: Any) -> bool:
        return (
            value.__class__ is datetime.datetime
            and value.tzinfo is datetime.UTC
            and EARLIEST < value < LATEST
        )

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        return (
            types == {datetime.datetime}
            and {value.tzinfo for value in values} == {datetime.UTC}
            and min(values) > EARLIEST
            and max(values) < LATEST
        )

    def to_filter(self, value: Any) -> Any:
        moment = super().to_filter(value)
        if moment.tzinfo is None:
            raise ValueError("the time has no zone; append Z or an offset")
        return moment

    def encode(self, value: Any) -> Any:
        if value.tzinfo is None:
            return value
        try:
            moment = value.astimezone(datetime.UTC)
        except OverflowError:
            moment = LATEST
        if not EARLIEST < moment < LATEST:
            raise self.invalid("lies outside of the years 1 to 9999 in UTC")
        return moment


def Date(**options: Unpack[FieldOptions]) -> Any:
    """A day."""
    return DateField(**options)


def Time(**options: Unpack[FieldOptions]) -> Any:
    """A time of day without a zone."""
    return TimeField(**options)


def Datetime(**options: Unpack[FieldOptions]) -> Any:
    """A moment, aware and in UTC (timestamptz)."""
    return DatetimeField(**options)


def utc_now() -> datetime.datetime:
    """This moment, aware and in UTC: the usual callable default of a Datetime."""
    return datetime.datetime.now(datetime.UTC)
