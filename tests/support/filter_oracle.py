"""An evaluator of filters that knows nothing of SQL: rows are dictionaries, and every condition is true or
false.

It was written from the description of the language alone, so that it can be asked whether the ORM is right.
Nothing is ever "unknown": a comparison with null is false, and a complement is true exactly where its
positive is false."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Row = Mapping[str, Any]
Tables = Mapping[str, Mapping[int, Row]]
"""Rows by table and id; a row holds its id too. A link table is a table like any other."""

COMPLEMENTS: Final[Mapping[str, str]] = {
    "!=": "=",
    "not in": "in",
    "not like": "like",
    "not ilike": "ilike",
    "not between": "between",
    "is null": "is not null",
    "none": "some",
}


@dataclass(frozen=True)
class Relation:
    """`find` gives the ids of the rows of `target` that a row leads to."""

    target: str
    find: Callable[[Tables, Row], Iterable[int]]
    is_to_many: bool = True


def to_one(target: str, column: str) -> Relation:
    """The row of `target` whose id stands in `column`."""
    return Relation(
        target, lambda tables, row: () if row[column] is None else (row[column],), is_to_many=False
    )


def to_many(target: str, column: str) -> Relation:
    """The rows of `target` that have this row's id in `column`."""
    return Relation(
        target,
        lambda tables, row: (key for key, other in tables[target].items() if other[column] == row["id"]),
    )


def linked(target: str, table: str, own: str, other: str) -> Relation:
    """The rows of `target` that a row of the link `table` joins with this one."""
    return Relation(
        target, lambda tables, row: (link[other] for link in tables[table].values() if link[own] == row["id"])
    )


@dataclass(frozen=True)
class Oracle:
    """Says which rows pass a filter. `lower` is how `ilike` makes letters small."""

    tables: Tables
    relations: Mapping[tuple[str, str], Relation]
    lower: Callable[[str], str] = str.lower

    def ids(self, table: str, filter: Sequence[Any]) -> list[int]:
        """The ids of the rows that pass, lowest first."""
        return [key for key, row in sorted(self.tables[table].items()) if self._all(table, row, filter)]

    def _all(self, table: str, row: Row, conditions: Sequence[Any]) -> bool:
        return all(self._holds(table, row, condition) for condition in conditions)

    def _holds(self, table: str, row: Row, condition: Sequence[Any]) -> bool:
        head, *rest = condition
        if head == "and":
            return self._all(table, row, rest)
        if head == "or":
            return any(self._holds(table, row, one) for one in rest)
        if head == "not":
            return not self._holds(table, row, rest[0])
        op: str = rest[0]
        value: Any = rest[1] if len(rest) > 1 else None
        if op in ("=", "!=") and value is None:
            op = "is null" if op == "=" else "is not null"
        positive = COMPLEMENTS.get(op, op)
        path = head.split(".")
        if positive == "some":
            target, rows = self._rows(table, [row], path)
            found = any(self._all(target, one, value) for one in rows)
        else:
            found = any(self._compare(one, positive, value) for one in self._values(table, row, path))
        return found if positive == op else not found

    def _rows(self, table: str, rows: Iterable[Row], path: Sequence[str]) -> tuple[str, Iterable[Row]]:
        """The rows that a path of relations leads to, and their table."""
        for name in path:
            relation = self.relations[table, name]
            there = self.tables[relation.target]
            rows = [there[key] for one in rows for key in relation.find(self.tables, one)]
            table = relation.target
        return table, rows

    def _values(self, table: str, row: Row, path: Sequence[str]) -> Iterable[Any]:
        """What stands at the end of a path: nothing, one value, or several."""
        *hops, name = path
        last, rows = self._rows(table, [row], hops)
        relation = self.relations.get((last, name))
        if relation is not None and relation.is_to_many:  # which by itself means the ids of its rows
            rows, name = self._rows(last, rows, [name])[1], "id"
        return (one[name] for one in rows)

    def _compare(self, value: Any, op: str, given: Any) -> bool:
        if op == "in":
            return any(_same(value, one) for one in given)
        if value is None:
            return False
        if op in ("is not null", "allowed"):  # every row may be read here
            return True
        if op == "like":
            return matches_pattern(value, given)
        if op == "ilike":
            return matches_pattern(self.lower(value), self.lower(given))
        if op == "between":
            return bool(given[0] <= value <= given[1])
        if op == "contains":
            return contains(value, given)
        return bool(_ORDER[op](value, given))


def matches_pattern(text: str, pattern: str) -> bool:
    """Whether the whole of `text` is what `pattern` describes: % any characters, _ one, a backslash takes the
    next one literally."""
    ends = {0}  # how much of the text the pattern read so far may have used up
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            ends = set(range(min(ends), len(text) + 1)) if ends else ends
        elif letter == "_":
            ends = {end + 1 for end in ends if end < len(text)}
        else:
            wanted = next(letters) if letter == "\\" else letter
            ends = {end + 1 for end in ends if text[end : end + 1] == wanted}
    return len(text) in ends


def contains(outer: Any, inner: Any, *, is_top: bool = True) -> bool:
    """Containment of JSON: objects by key, arrays as sets; at the top an array contains its bare elements."""
    if isinstance(outer, dict) and isinstance(inner, dict):
        return all(key in outer and contains(outer[key], one, is_top=False) for key, one in inner.items())
    if isinstance(outer, list) and isinstance(inner, list):
        return all(any(contains(there, one, is_top=False) for there in outer) for one in inner)
    if isinstance(outer, list) and is_top and not isinstance(inner, dict):
        return any(_same(there, inner) for there in outer)
    return not isinstance(outer, dict | list) and _same(outer, inner)


def _same(one: Any, other: Any) -> bool:
    """Equality for which true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": _same,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
