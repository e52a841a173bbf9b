"""Fields whose values are numbers or truth values."""

import decimal
import functools
import math
from typing import Any, ClassVar, Final, Unpack

from orm.fields.base import Field, FieldOptions

Number = int | float | decimal.Decimal

MOST_DIGITS = 1000
"""Of a number in a filter; as many as a column can be declared with."""


_DIGITS_OF_A_COUNT: Final = 20
"""By so many the sum of a column may have more of them than its values."""


LOWEST_ID: Final = -(2**63)
HIGHEST_ID: Final = 2**63 - 1
"""What a bigint can hold."""


def is_id(value: Any) -> bool:
    """Whether `value` could be the id of a row: a whole number of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and LOWEST_ID <= value <= HIGHEST_ID


def fitting_64_bits(number: int) -> int:
    """`number`, if a bigint can hold it. Raises ValueError."""
    if not LOWEST_ID <= number <= HIGHEST_ID:
        raise ValueError("the number does not fit 64 bits")
    return number


class NumberField(Field):
    """A number between `min` and `max`, both included."""

    def __init__(self, *, min: Number | None, max: Number | None, **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        self.min = min
        self.max = max

    def check(self) -> None:
        for word, limit in (("min", self.min), ("max", self.max)):
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, Number)):
                raise self.wrong(f"{word}={limit!r}: it is a number")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise self.wrong(f"min {self.min} is above max {self.max}")

    def is_between(self, lowest: Any, highest: Any) -> bool:
        """Whether numbers from `lowest` to `highest` lie within `min` and `max`."""
        return (self.min is None or lowest >= self.min) and (self.max is None or highest <= self.max)


class IntegerField(NumberField):
    """A whole number of four bytes."""

    kind = "integer"
    python_type = int
    bits: ClassVar[int] = 32

    @property
    def column_type(self) -> str:
        return "integer"

    @property
    def filter_type(self) -> str:
        return "bigint"

    @functools.cached_property
    def bounds(self) -> tuple[Number, Number]:
        """The lowest and the highest value: those declared, or those of the column."""
        low, high = -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1
        return low if self.min is None else self.min, high if self.max is None else self.max

    def constraints(self) -> dict[str, Any]:
        return dict(zip(("ge", "le"), self.bounds, strict=True))

    def fits(self, value: Any) -> bool:
        low, high = self.bounds
        return value.__class__ is int and low <= value <= high

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        low, high = self.bounds
        return types == {int} and low <= min(values) and max(values) <= high

    def to_filter(self, value: Any) -> Any:
        return fitting_64_bits(value if value.__class__ is int else super().to_filter(value))


class BigIntegerField(IntegerField):
    """A whole number of eight bytes."""

    kind = "biginteger"
    bits = 64

    @property
    def column_type(self) -> str:
        return "bigint"


class SmallIntegerField(IntegerField):
    """A whole number of two bytes."""

    kind = "smallinteger"
    bits = 16

    @property
    def column_type(self) -> str:
        return "smallint"


class FloatField(NumberField):
    """A double precision number. NaN and infinities are refused: JSON has no word for them."""

    kind = "float"
    python_type = float

    @property
    def column_type(self) -> str:
        return "double precision"

    def constraints(self) -> dict[str, Any]:
        limits = {"ge": self.min, "le": self.max}
        return {name: limit for name, limit in limits.items() if limit is not None}

    def fits(self, value: Any) -> bool:
        return value.__class__ is float and math.isfinite(value) and self.is_between(value, value)

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        if types != {float} or not all(map(math.isfinite, values)):
            return False
        return self.is_between(min(values), max(values))

    def encode(self, value: Any) -> Any:
        if not math.isfinite(value):
            raise self.invalid("is no finite number")
        return value


class DecimalField(NumberField):
    """An exact number of `precision` digits, `scale` of them after the point. A string in JSON."""

    kind = "decimal"
    python_type = decimal.Decimal

    def __init__(self, *, precision: int, scale: int, **options: Any) -> None:
        super().__init__(**options)
        self.precision = precision
        self.scale = scale
        self._quantum = decimal.Decimal((0, (1,), -scale))
        self._beyond = decimal.Decimal((0, (1,), precision - scale))
        self._exact = decimal.Context(
            prec=precision + _DIGITS_OF_A_COUNT,
            traps=[decimal.Inexact, decimal.Rounded, decimal.InvalidOperation],
        )

    def check(self) -> None:
        super().check()
        if not 0 <= self.scale <= self.precision or not 1 <= self.precision <= 1000:
            raise self.wrong("precision lies between 1 and 1000, scale between 0 and precision")

    @property
    def column_type(self) -> str:
        return f"numeric({self.precision},{self.scale})"

    @property
    def parameter_type(self) -> str:
        return "numeric"

    def json_column(self, column: str) -> str:
        # a string in JSON anyway: without a Decimal in between it costs the process a third
        return f"{column}::text"

    def to_filter(self, value: Any) -> Any:
        number = super().to_filter(value)
        if (
            not number.is_finite()
            or abs(number.adjusted()) > MOST_DIGITS
            or len(number.as_tuple().digits) > MOST_DIGITS
        ):
            raise ValueError(f"a number of more than {MOST_DIGITS} digits, or none at all")
        return number

    @functools.cached_property
    def _range(self) -> tuple[decimal.Decimal, decimal.Decimal]:
        """The lowest and the highest value with as many digits after the point as the column has. Decimals,
        because comparing with another kind of number converts it each time."""
        most = self._exact.subtract(self._beyond, self._quantum)
        low = -most if self.min is None else max(decimal.Decimal(self.min), -most)
        return low, most if self.max is None else min(decimal.Decimal(self.max), most)

    def fits(self, value: Any) -> bool:
        # written with all the digits after the point, as most are; other ways are found out by to_column
        if value.__class__ is not decimal.Decimal or not value.same_quantum(self._quantum):
            return False
        low, high = self._range
        return low <= value <= high

    def _is_exact(self, value: Any) -> bool:
        """What `fits` says, whatever the number of digits after the point."""
        if value.__class__ is not decimal.Decimal:
            return False
        exponent = value.as_tuple().exponent
        return (
            exponent.__class__ is int
            and -self.scale <= exponent <= 0
            and value.adjusted() < self.precision - self.scale
            and self.is_between(value, value)
        )

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        # An exact sum has as many digits after the point as the number that has most, and is no number when
        # one of them is none: 0.1 us for a value instead of 0.6.
        if types != {decimal.Decimal}:
            return False
        try:
            with decimal.localcontext(self._exact):
                exponent = sum(values).as_tuple().exponent
        except ArithmeticError:
            return False
        if exponent.__class__ is not int or exponent < -self.scale:
            return False
        lowest, highest = min(values), max(values)
        return -self._beyond < lowest and highest < self._beyond and self.is_between(lowest, highest)

    def to_column(self, value: Any) -> Any:
        if self._is_exact(value):
            return value
        number = super().to_column(value)
        if number is None:
            return None
        if not number.is_finite():
            raise self.invalid("is no finite number")
        if _digits_after_point(number) > self.scale:
            # PostgreSQL would round without a word
            raise self.invalid(f"has more than {self.scale} digits after the point")
        if number and number.adjusted() >= self.precision - self.scale:
            raise self.invalid(f"has more than {self.precision - self.scale} digits before the point")
        if (self.min is not None and number < self.min) or (self.max is not None and number > self.max):
            raise self.invalid(self._outside())
        return number

    def _outside(self) -> str:
        if self.max is None:
            return f"is less than {self.min}"
        return f"is more than {self.max}" if self.min is None else f"lies outside {self.min} to {self.max}"


class BooleanField(Field):
    """True or false."""

    kind = "boolean"
    python_type = bool

    def fits(self, value: Any) -> bool:
        return value.__class__ is bool

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        return types == {bool}

    @property
    def column_type(self) -> str:
        return "boolean"


def Integer(*, min: int | None = None, max: int | None = None, **options: Unpack[FieldOptions]) -> Any:
    """A whole number of four bytes."""
    return IntegerField(min=min, max=max, **options)


def BigInteger(*, min: int | None = None, max: int | None = None, **options: Unpack[FieldOptions]) -> Any:
    """A whole number of eight bytes."""
    return BigIntegerField(min=min, max=max, **options)


def SmallInteger(*, min: int | None = None, max: int | None = None, **options: Unpack[FieldOptions]) -> Any:
    """A whole number of two bytes."""
    return SmallIntegerField(min=min, max=max, **options)


def Float(*, min: float | None = None, max: float | None = None, **options: Unpack[FieldOptions]) -> Any:
    """A double precision number."""
    return FloatField(min=min, max=max, **options)


def Decimal(
    precision: int = 12,
    scale: int = 2,
    *,
    min: Number | None = None,
    max: Number | None = None,
    **options: Unpack[FieldOptions],
) -> Any:
    """An exact number of `precision` digits, `scale` of them after the point."""
    return DecimalField(precision=precision, scale=scale, min=min, max=max, **options)


def Boolean(**options: Unpack[FieldOptions]) -> Any:
    """True or false."""
    return BooleanField(**options)


def _digits_after_point(number: decimal.Decimal) -> int:
    """Digits that count: 1.50 has one."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "a finite number"
    zeros = next((count for count, digit in enumerate(reversed(digits)) if digit), len(digits))
    return max(0, -(exponent + zeros))
