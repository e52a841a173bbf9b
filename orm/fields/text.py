"""Fields whose values are text."""

import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, Unpack

from orm.fields.base import Field, FieldOptions


def storable_text(field: Field, value: str) -> str:
    """`value`, if PostgreSQL can hold it. Raises ValidationError: the server would refuse it only in the
    middle of a statement."""
    if "\0" in value:
        raise field.invalid("contains a NUL character, which text in PostgreSQL cannot hold")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise field.invalid("contains half of a surrogate pair, which is no character") from None
    return value


class TextField(Field):
    """Text of any length, or bounded by `max_length` characters."""

    kind = "text"
    python_type = str

    def __init__(
        self,
        *,
        max_length: int | None,
        min_length: int | None,
        pattern: str | None,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(**options)
        self.max_length = max_length
        self.min_length = min_length
        self.pattern = pattern

    def check(self) -> None:
        for word, length in (("max_length", self.max_length), ("min_length", self.min_length)):
            if length is not None and length.__class__ is not int:
                raise self.wrong(f"{word}={length!r}: it is a number of characters")
        if self.max_length is not None and self.max_length < 1:
            raise self.wrong("max_length is at least 1")
        if self.min_length is not None and not 0 <= self.min_length <= (self.max_length or self.min_length):
            raise self.wrong("min_length lies between 0 and max_length")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except (re.error, TypeError) as error:
                raise self.wrong(f"pattern {self.pattern!r} is no regular expression: {error}") from error

    @functools.cached_property
    def _longest(self) -> int:
        """As many characters as `fits` can say yes to; -1 where a pattern or a shortest length is to be
        looked at."""
        if self.pattern is not None or self.min_length:
            return -1
        return sys.maxsize if self.max_length is None else self.max_length

    def fits(self, value: Any) -> bool:
        return (
            value.__class__ is str and len(value) <= self._longest and value.isascii() and "\0" not in value
        )

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        if types != {str} or max(map(len, values)) > self._longest:
            return False
        whole = "".join(values)
        return whole.isascii() and "\0" not in whole

    @property
    def column_type(self) -> str:
        return "text"

    @property
    def filter_type(self) -> str:
        return "text"

    @property
    def is_text(self) -> bool:
        return True

    def constraints(self) -> dict[str, Any]:
        limits = {"min_length": self.min_length, "max_length": self.max_length, "pattern": self.pattern}
        return {name: limit for name, limit in limits.items() if limit is not None}

    def encode(self, value: Any) -> Any:
        if self.pattern is not None and value.endswith("\n") and not self._whole.search(value):
            raise self.invalid(f"expected `str` matching regex {self.pattern!r}")
        return storable_text(self, value)

    @functools.cached_property
    def _whole(self) -> re.Pattern[str]:
        """The pattern, its `$` meaning the end of the text, as in JSON Schema and in HTML. To Python it also
        means before a line feed at the end, and msgspec asks Python."""
        assert self.pattern is not None, "only asked for with one"
        return re.compile(_to_the_end(self.pattern))


_DOLLAR: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<dollar>\$)", re.DOTALL)
"""A dollar that stands for the end, and before it in the choice what may hold one that does not."""


def _to_the_end(pattern: str) -> str:
    if re.compile(pattern).flags & re.MULTILINE:
        return pattern
    return _DOLLAR.sub(lambda match: r"\Z" if match["dollar"] else match[0], pattern)


class CharField(TextField):
    """Text of at most `max_length` characters, a limit that the column itself holds to."""

    kind = "char"

    @property
    def column_type(self) -> str:
        return f"varchar({self.max_length})"

    @property
    def parameter_type(self) -> str:
        return (
            "varchar"  # without the length: a cast to varchar(n) cuts silently where an insert would refuse
        )


Options = Iterable[tuple[str, str] | str] | Mapping[str, str]


def _pairs(given: Any) -> Iterator[tuple[str, str]]:
    """Codes and labels; what is none of either is left out, and `check` refuses it."""
    for option in given if isinstance(given, tuple) else ():
        if isinstance(option, str):
            yield option, option
        elif (
            isinstance(option, list | tuple)
            and len(option) == 2
            and all(isinstance(one, str) for one in option)
        ):
            yield option[0], option[1]


class SelectionField(Field):
    """One of a fixed list of codes, each with a label.

    Stored as text without a CHECK constraint: a module may extend the options of another one's field, and
    changing a constraint would lock the table."""

    kind = "selection"
    python_type = str

    def __init__(self, *, options_: Options, **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        given: Any = options_.items() if isinstance(options_, Mapping) else options_
        # a generator gives its options once
        self._given = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else given
        self.options = tuple(_pairs(self._given))
        self.codes = tuple(code for code, _ in self.options)
        """The values that the field takes, in the order declared."""

    def check(self) -> None:
        if not isinstance(self._given, tuple):
            raise self.wrong(f"options={self._given!r}: it is a list of (code, label)")
        if len(self.options) < len(self._given):
            raise self.wrong(
                "each of options is a (code, label), or a code that is its own label, both texts"
            )
        if not self.options:
            raise self.wrong("options is empty; name at least one (code, label)")
        if len(set(self.codes)) != len(self.codes):
            raise self.wrong("options name one code twice")

    @property
    def column_type(self) -> str:
        return "text"

    @property
    def is_text(self) -> bool:
        return True

    def fits(self, value: Any) -> bool:
        return value.__class__ is str and value in self.codes

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        return types == {str} and set(values).issubset(self.codes)

    def encode(self, value: Any) -> Any:
        return storable_text(self, value)

    def annotation(self) -> Any:
        return Literal[self.codes]


def Char(
    *,
    max_length: int = 255,
    min_length: int | None = None,
    pattern: str | None = None,
    **options: Unpack[FieldOptions],
) -> Any:
    """Text of at most `max_length` characters (varchar)."""
    return CharField(max_length=max_length, min_length=min_length, pattern=pattern, **options)


def Text(
    *,
    max_length: int | None = None,
    min_length: int | None = None,
    pattern: str | None = None,
    **options: Unpack[FieldOptions],
) -> Any:
    """Text of any length, or of at most `max_length` characters, checked when it is written."""
    return TextField(max_length=max_length, min_length=min_length, pattern=pattern, **options)


def Selection(*, options: Options, **others: Unpack[FieldOptions]) -> Any:
    """One of `options`, each a (code, label) or a code that is its own label; or a dictionary of labels by
    code."""
    return SelectionField(options_=options, **others)
