"""The indexes of a model: those that it declares, those of single fields, and those of foreign keys."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orm.builder.text import Parameters, quote
from orm.errors import DeclarationError, Problem
from orm.filters.parse import EVERYTHING, BoundFilter, Shape, parse_filter
from orm.filters.render import render_filter
from orm.indexes import Index
from orm.metadata import ModelMeta
from orm.schema.names import INDEX_MARK, index_name, partial_index_name


@dataclass(frozen=True, slots=True)
class NamedIndex:
    """One index as it stands in the database."""

    name: str
    table: str
    columns: tuple[str, ...]
    condition: str = ""
    is_unique: bool = False

    def create(self, *, concurrently: bool = False) -> str:
        """CREATE INDEX; beside running work, it cannot be part of a transaction."""
        words = ["CREATE", *["UNIQUE"] * self.is_unique, "INDEX", *["CONCURRENTLY"] * concurrently]
        columns = ", ".join(
            quote(name.removeprefix("-")) + " DESC" * name.startswith("-") for name in self.columns
        )
        text = f"{' '.join(words)} {quote(self.name)} ON {quote(self.table)} ({columns})"
        return f"{text} WHERE {self.condition}" if self.condition else text

    def renamed(self, name: str) -> "NamedIndex":
        """The same one under another name."""
        return replace(self, name=name)

    @property
    def mark(self) -> str:
        """COMMENT ON INDEX: that it is ours."""
        return mark(self.name)

    @property
    def description(self) -> str:
        """What it is, for a sentence."""
        kind = "unique index" if self.is_unique else "index"
        where = f" where {self.condition}" if self.condition else ""
        return f"{kind} on {', '.join(self.columns)}{where}"

    @property
    def sentence(self) -> str:
        """What the database lacks without it."""
        return f"{self.table} has no {self.description}"


def mark(name: str) -> str:
    """COMMENT ON INDEX: that it is ours."""
    return f"COMMENT ON INDEX {quote(name)} IS '{INDEX_MARK}'"


def named_indexes(meta: ModelMeta) -> list[NamedIndex]:
    """Each declared index, and one of each foreign key that no other index leads with.

    PostgreSQL makes none for a foreign key, and without one every delete on the other side reads the whole
    table. Raises DeclarationError for a condition that no index can have."""
    wanted = [_named(meta, index) for index in meta.indexes]
    wanted += [_plain(meta, (name,)) for name, field in meta.fields.items() if field.index]
    whole = [index.columns for index in wanted if not index.condition]
    leading = {names[0].removeprefix("-") for names in (*whole, *meta.uniques)}
    wanted += [_plain(meta, (name,)) for name in meta.foreign_keys if name not in leading]
    return list(dict.fromkeys(wanted))


def partial_uniques(meta: ModelMeta) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and fields of the indexes that keep some of the rows apart, for naming the fields of a violated
    one."""
    for index in meta.indexes:
        if index.unique:
            named = _named(meta, index)
            yield named.name, tuple(name.removeprefix("-") for name in named.columns)


def _plain(meta: ModelMeta, names: Sequence[str]) -> NamedIndex:
    return NamedIndex(index_name(meta.table, names), meta.table, tuple(names))


def _named(meta: ModelMeta, index: Index) -> NamedIndex:
    if not index.where:
        if index.unique:
            raise _wrong(meta, index, "it is unique over every row: name its fields in __unique__")
        return _plain(meta, index.fields)
    condition = _condition(meta, index)
    name = partial_index_name(meta.table, index.fields, condition, unique=index.unique)
    return NamedIndex(name, meta.table, tuple(index.fields), condition, index.unique)


def _condition(meta: ModelMeta, index: Index) -> str:
    try:
        parsed = parse_filter(meta, index.where)
    except Problem as problem:
        raise _wrong(meta, index, problem.detail) from problem
    if parsed.is_template or parsed.shape == EVERYTHING or "via" in _kinds(parsed.shape):
        raise _wrong(meta, index, "its condition compares columns of the row itself with constants")
    return render_filter(parsed.shape, meta, "", _Literals(parsed), columns=quote)


def _wrong(meta: ModelMeta, index: Index, sentence: str) -> DeclarationError:
    return DeclarationError(f"{meta.name}.__indexes__, the index on {', '.join(index.fields)}: {sentence}")


def _kinds(shape: Shape) -> Iterable[str]:
    yield shape[0]
    for part in shape[1:]:
        if isinstance(part, tuple):
            yield from _kinds(part)


class _Literals(Parameters):
    """Stands in for placeholders where a statement can have none: the values themselves, as literals."""

    def __init__(self, filter: BoundFilter) -> None:
        super().__init__()
        self._values = iter(filter.values)

    def next(self, type_: str) -> str:
        value = next(self._values)
        if isinstance(value, list):
            return f"ARRAY[{', '.join(map(literal, value))}]::{type_}"
        return f"{literal(value)}::{type_}"


def literal(value: Any) -> str:
    """A constant of a declaration as an SQL literal. It comes from the program's source, never from a
    client."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    text = str(value).replace("'", "''")
    return f"'{text}'"
