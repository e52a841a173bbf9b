"""The canonical bytes of an entry, which the chain is made over. The package says what they are. Pure.

JSON is read and written here without recursion and without numbers: a document may be nested deeper than
Python's stack, and its numbers may be longer than any float.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

_WORD: Final = re.compile(r'[\s,:]*([{}\[\]]|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,:{}\[\]"]+)')
_NUMBERS: Final = ("id", "user_id", "record_id")
_TEXTS: Final = ("request_id", "database_role", "action", "model")
_DOCUMENTS: Final = ("before", "after", "details")

_Container = dict[str, Any] | list[Any]


def canonical_entry(row: Mapping[str, Any]) -> bytes:
    """The bytes of a row of the statement `entries` (sql/audit/chain.sql)."""
    members = {"at": row["at"] or "null"}
    for name in _NUMBERS:
        members[name] = "null" if row[name] is None else str(row[name])
    for name in _TEXTS:
        members[name] = "null" if row[name] is None else _text(row[name])
    for name in _DOCUMENTS:
        members[name] = "null" if row[name] is None else canonical_json(row[name])
    return "{{{}}}".format(",".join(f'"{name}":{members[name]}' for name in sorted(members))).encode()


def canonical_json(text: str) -> str:
    """The one way to write the JSON value that `text` is. `text` must be JSON as PostgreSQL's jsonb writes
    it, no name twice in an object."""
    words = _WORD.findall(text)
    if words[0] not in "{[":
        return _scalar(words[0])
    return "".join(_written(_read(words)))


def _read(words: list[str]) -> _Container:
    """The outermost container: objects as dicts by decoded name, arrays as lists; scalars are canonical
    texts already."""
    root: list[Any] = []
    around: list[_Container] = []
    here: _Container = root
    name: str | None = None
    for word in words:
        if word in "}]":
            here = around.pop()
            continue
        if name is None and isinstance(here, dict):
            name = json.loads(word)
            continue
        value: Any = {} if word == "{" else [] if word == "[" else _scalar(word)
        if isinstance(here, dict):
            assert name is not None
            here[name] = value
            name = None
        else:
            here.append(value)
        if word in "{[":
            around.append(here)
            here = value
    outermost: _Container = root[0]
    return outermost


def _written(outermost: _Container) -> Iterator[str]:
    """The texts that make up a container, members of objects by name."""
    pending: list[Any] = [(outermost,)]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
            continue
        (value,) = part
        inner: list[Any] = []
        if isinstance(value, dict):
            for name in sorted(value):
                inner += [",", f"{_text(name)}:", _ready(value[name])]
        else:
            for each in value:
                inner += [",", _ready(each)]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        pending.append(closing)
        pending += reversed(inner[1:])
        yield opening


def _ready(value: Any) -> Any:
    """A scalar as it is; a container in a tuple, which tells it from the texts between."""
    return value if isinstance(value, str) else (value,)


def _scalar(word: str) -> str:
    if word.startswith('"'):
        # Without an escape there is nothing in it that could be written in another way.
        return _text(json.loads(word)) if "\\" in word else word
    if word in ("true", "false", "null"):
        return word
    number = format(Decimal(word), "f")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
