"""How many rows an answer may hold: to-many relations, each within its row, have a limit over the API.

    fields=tasks.title                             40 tasks of each row
    {"nested": {"tasks": {"limit": 500}}}          the most that can be asked for

And all of them together have one, reckoned from the limits before anything is fetched: 500 rows with 500 each
are an answer, 500 rows with 40 of 40 are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from orm.errors import FilterError, Place
from orm.metadata import ModelMeta
from orm.projection.tree import MAX_DEPTH

NESTED_LIMIT: Final = 40
"""Rows of a to-many relation for each row that they hang on, unless the client says otherwise: so many that
an ordinary page may have three relations of a relation before MOST_ROWS is met."""

LARGEST_NESTED_LIMIT: Final = 500

MOST_ROWS: Final = 250_000
"""Related rows of an answer, were every limit reached: about a second's work and 100 MB."""

Nested = Mapping[str, Any]

_ONLY_IDS: Final[Nested] = MappingProxyType({"fields": ()})
"""Of a relation that `fields` only names: refined without any, its rows would have every field."""


def bounded(meta: ModelMeta, fields: Sequence[str] | None, nested: Nested, rows: int) -> Nested:
    """`nested` with a limit for every to-many relation that it or `fields` asks for, of `rows` rows.

    Raises FilterError for limits that are too high. What is wrong in any other way is left as it is, for
    the ORM to refuse.
    """
    if not nested and (fields is None or not any(to_many_in(meta, path) for path in fields)):
        return nested
    bounds = _Bounds()
    return bounds.level(meta, fields or (), nested, rows, "/nested")


class _Bounds:
    """One walk through what is asked for; `left` are the rows that the answer may still have."""

    def __init__(self) -> None:
        self.left = MOST_ROWS

    def level(
        self, meta: ModelMeta, fields: Iterable[Any], nested: Nested, rows: int, pointer: str, depth: int = 0
    ) -> dict[str, Any]:
        """The refinements of the to-many relations of `rows` rows."""
        if depth > MAX_DEPTH:
            return dict(nested)  # refused where its fields are
        behind: dict[str, list[str]] = {}
        refined: dict[str, Any] = dict(nested)
        for path in [*fields, *_through_to_one(meta, nested)]:
            found = to_many_in(meta, path)
            if found is not None:
                behind.setdefault(found, []).extend(filter(None, [path[len(found) + 1 :]]))
        for path in nested:
            if to_many_in(meta, path) == path:
                behind.setdefault(path, [])
        for path, names in behind.items():
            options = nested.get(path, {} if names else _ONLY_IDS)
            if isinstance(options, Mapping):
                target = _target(meta, path)
                refined[path] = self._branch(target, names, options, rows, f"{pointer}/{path}", depth)
        return refined

    def _branch(
        self, meta: ModelMeta, names: list[str], options: Nested, parents: int, pointer: str, depth: int
    ) -> dict[str, Any]:
        limit = options.get("limit")
        if limit is None:
            limit = NESTED_LIMIT
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            return dict(options)
        if limit > LARGEST_NESTED_LIMIT:
            raise _too_many(pointer, "range", f"`limit` is a whole number from 1 to {LARGEST_NESTED_LIMIT}.")
        rows = parents * limit
        self.left -= rows
        if self.left < 0:
            sentence = f"This could be more than {MOST_ROWS} related rows: ask for fewer by lower limits."
            raise _too_many(pointer, "too_many", sentence)
        named, nested = options.get("fields"), options.get("nested", {})
        fields = [*names, *named] if isinstance(named, list | tuple) else names
        refined = {**options, "limit": limit}
        if isinstance(nested, Mapping):
            inner = self.level(meta, fields, nested, rows, f"{pointer}/nested", depth + 1)
            if inner:
                refined["nested"] = inner
        return refined


def _through_to_one(meta: ModelMeta, nested: Nested) -> list[str]:
    """The fields that `nested` asks for of to-one relations, as paths."""
    paths = []
    for path, options in nested.items():
        if to_many_in(meta, path) is None and isinstance(options, Mapping):
            fields = options.get("fields")
            paths += [f"{path}.{name}" for name in fields] if isinstance(fields, list | tuple) else []
    return paths


def to_many_in(meta: ModelMeta, path: Any) -> str | None:
    """The beginning of `path` up to its first to-many relation; None where there is none."""
    if not isinstance(path, str):
        return None
    if "." not in path:
        return path if path in meta.to_many else None
    names = path.split(".")
    for index, name in enumerate(names):
        if name in meta.to_many:
            return ".".join(names[: index + 1])
        target = meta.targets.get(name)
        if target is None:
            return None
        meta = target
    return None


def _target(meta: ModelMeta, path: str) -> ModelMeta:
    for name in path.split("."):
        meta = meta.targets[name]
    return meta


def _too_many(pointer: str, code: str, sentence: str) -> FilterError:
    return FilterError(sentence, errors=(Place(f"{pointer}/limit", code, sentence),))
