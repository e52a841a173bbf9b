"""What an attacker, or a program that is careless with its types, may put where a name or a value is
expected, and a record of what came of it."""

import dataclasses
import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import orm
from orm import UsageError
from orm.errors import Problem

Ask = Callable[[Any], Awaitable[Any]]

ORM: Final = Path(orm.__file__).parent


@dataclasses.dataclass
class Outcome:
    """What became of one question: an error of ours or an answer, and the statements that it took."""

    texts: list[str]
    error: Exception | None = None

    @property
    def is_ours(self) -> bool:
        """Whether there was an answer, or an error that the ORM itself raised with a sentence."""
        if self.error is None:
            return True
        if isinstance(self.error, Problem | UsageError):
            return bool(str(self.error))
        trace = self.error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        raised_in = Path(trace.tb_frame.f_code.co_filename) if trace is not None else None
        return (
            type(self.error) in (ValueError, TypeError) and raised_in is not None and ORM in raised_in.parents
        )


async def ask(sent: list[str], question: Ask, hostile: Any) -> Outcome:
    del sent[:]
    try:
        await question(hostile)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return Outcome(list(sent), error)
    return Outcome(list(sent))


def short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__} that has no repr"
    return text if len(text) < 80 else f"{text[:80]}..."


NAMES: Final = (
    "",
    " ",
    "'",
    '"',
    "; DROP TABLE products; --",
    '"; DROP TABLE products; --',
    "name\" = 'x' OR \"name",
    "name) OR (1=1",
    "name/* */",
    "name -- ",
    "name::text",
    "t.name",
    "products.name",
    "*",
    "count(*)",
    "$1",
    "%s",
    "{}",
    "{0.__class__}",
    "\\",
    "name\\",
    "name\0",
    "name\n",
    "name ",
    "NAME",
    "name\u200b",
    "n\u0430me",  # the second letter is Cyrillic
    "\ud800",
    "..",
    "name.",
    ".name",
    "--name",
    "__class__",
    "__table__",
    "_ref_category_id",
    "save",
    "ctid",
    "xmin",
    "= 1 OR 1=1 --",
    "x" * 100_000,
    "x." * 20 + "x",
)
"""None of them is a name of anything."""

TEXTS: Final = (
    *NAMES,
    "\\u0000",
    "NULL",
    "DEFAULT",
    "true",
    "%",
    "_",
    "\\%",
    "a\\",
    "''; --",
    "E'\\x00'",
    "$$",
    "\r\n\t\b",
)


class Prints:
    """An object whose text is SQL."""

    def __str__(self) -> str:
        return "1; DROP TABLE products"

    __repr__ = __str__


class Number(int):
    """A number whose text is SQL."""

    def __str__(self) -> str:
        return "1; DROP TABLE products"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)


class Three(enum.IntEnum):
    THREE = 3


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**400,
    1.5, -0.0, 1e308, math.nan, math.inf,
    *map(decimal.Decimal, ("NaN", "Infinity", "-0", "1e400", "1e-400", "1e-20000", "1e200000", "1e1000000")),
    b"x", b"\xff", bytearray(b"x"), memoryview(b"x"),
    [], {}, (), set(), [[]], [1, [2, [3]]], {"a": {"b": 1}}, {1: 2}, {"$ne": 1}, nested(50),
    "1", "1e1000000", "NaN", "0x10", "1_000", "\u0663", "true", "2026-02-30", "24:00:00", "12:00:00+01:00",
    "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "infinity", "\ud800", "a\0b",
    dt.date.min, dt.date.max, dt.datetime(2020, 1, 1), dt.datetime.max.replace(tzinfo=dt.UTC),
    dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5))), dt.time(1, tzinfo=dt.UTC),
    uuid.UUID(int=1), Prints(), object(), Number(3), Three.THREE, int, UsageError, len, range(3), 1j, ...,
)  # fmt: skip


class Word(enum.StrEnum):
    """Names as programs like to keep them."""

    NAME = "name"
    EQUALS = "="
    SUM = "sum"
    STOCK = "stock"


class Disguised(str):
    """A name whose text is SQL wherever it is formatted."""

    __slots__ = ()

    def __str__(self) -> str:
        return 'x"; DROP TABLE products; --'

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)
