"""Rows as CSV (RFC 4180), for programs and for spreadsheets. Pure.

Lines end with CRLF. Null is nothing between two commas, an empty text is `""`, a document is its JSON. A text
that begins with what a spreadsheet takes for a formula (`=` `+` `-` `@`, tab, line break) gets an apostrophe
before it: opened there it is text, and runs nothing. Numbers and dates keep their sign, for they can hold
nothing else. Who wants texts to the letter exports JSON lines.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from app.http.json import encode
from orm.fields.base import Field
from orm.fields.computed import ComputedField
from orm.fields.others import BinaryField, JSONFieldType
from orm.fields.relations import Many2oneField
from orm.fields.text import SelectionField, TextField

_QUOTED: Final = re.compile(r'[",\r\n]|^\s|\s$')
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Kind = Literal["plain", "text", "document", "reference"]

# Base64 may begin with a plus.
_KINDS: Final[tuple[tuple[type[Field], Kind], ...]] = (
    (TextField, "text"),
    (SelectionField, "text"),
    (BinaryField, "text"),
    (JSONFieldType, "document"),
    (Many2oneField, "reference"),
)


class Column(NamedTuple):
    """One column: the path of its field, and what its values are. A text might be a formula; a reference is
    an id, or an object with one; a document is shown as JSON."""

    path: tuple[str, ...]
    kind: Kind

    @property
    def name(self) -> str:
        """What stands on top of it."""
        return ".".join(self.path)


def column(path: str, field: Field) -> Column:
    """The column of a field that is reached by a dotted path."""
    shown = field.of if isinstance(field, ComputedField) else field
    kind: Kind = next((kind for type_, kind in _KINDS if isinstance(shown, type_)), "plain")
    return Column(tuple(path.split(".")), kind)


def head(columns: Iterable[Column]) -> str:
    """The first line: names of fields."""
    return _line(column.name for column in columns)


def lines(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> str:
    """A line for each row, which is an object as the API answers it."""
    return "".join([_line(cell(_value(row, column), column.kind) for column in columns) for row in rows])


def cell(value: object, kind: Kind) -> str:
    """One value, quoted where it has to be."""
    if value is None:
        return ""
    if not isinstance(value, str) or kind == "document":
        text = encode(value).decode()
    elif kind == "text" and value.startswith(_FORMULA):
        text = f"'{value}"
    else:
        text = value
    if not text or _QUOTED.search(text):
        text = '"' + text.replace('"', '""') + '"'
    return text


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\r\n"


def _value(row: dict[str, Any], column: Column) -> object:
    """What is at the end of a column's path; None where a row on the way is absent, or hidden."""
    value: Any = row
    for name in column.path:
        value = value.get(name) if isinstance(value, dict) else None
    if column.kind == "reference" and isinstance(value, dict):
        return value["id"]
    return value
