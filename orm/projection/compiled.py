"""A compiled list of fields: the columns of its statement, and what makes records or JSON of the rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from orm.access import UNLIMITED, Grant
from orm.builder.text import column
from orm.fields.base import Field
from orm.filters.parse import Related
from orm.metadata import ModelMeta
from orm.projection import loaders
from orm.projection.tree import Branch, Join, Node, branches_of, columns_of, joins_of

if TYPE_CHECKING:
    from orm.model import DotModel

Rows = Iterable[Sequence[Any]]


@dataclass(slots=True)
class Arguments:
    """The values that a projection's statements need of whoever asks: those of its joins' rules, for each
    branch the values of its own rule, and the same again for what lies behind it."""

    joins: list[Any] = field(default_factory=list)
    rules: list[tuple[Any, ...]] = field(default_factory=list)
    branches: "list[Arguments]" = field(default_factory=list)


class Projection:
    """`names` are the root's columns, `width` counts all columns of the statement, `joins` the relations
    that ride in the same statement, `branches` the to-many ones, each with the to-one relations that lead
    to the rows it hangs on."""

    def __init__(self, root: Node) -> None:
        self.meta: ModelMeta = root.meta
        self.names: tuple[str, ...] = tuple(root.columns)
        self.width = sum(1 for _ in columns_of(root))
        self._root = root
        self.joins: tuple[Join, ...] = tuple(joins_of(root))
        self.branches: tuple[tuple[tuple[str, ...], Branch], ...] = tuple(branches_of(root))
        self._loaders: dict[tuple[str, int], loaders.Loader] = {}

    def select_list(self, *, as_json: bool = False) -> list[str]:
        """The columns as SQL, the root's first, in the order that the loaders expect them; with `as_json`
        in the form that is cheapest for Structs."""
        found = [(node.meta.fields[name], column(node.alias, name)) for node, name in columns_of(self._root)]
        return [field.json_column(sql) if as_json else sql for field, sql in found]

    def column(self, path: str) -> str:
        """The SQL of a column that was asked for, by the path that it was asked for with."""
        node, name = self._find(path)
        return column(node.alias, name)

    def field(self, path: str) -> Field:
        """The field of a column that was asked for."""
        node, name = self._find(path)
        return node.meta.fields[name]

    def arguments(self, related: Related | None) -> Arguments | None:
        """What the statements need of whoever asks now; None when his grants have another shape than those
        compiled in."""
        found = Arguments()
        for join in self.joins:
            grant = _grant(related, join.target)
            if not _same_shape(grant, join.grant):
                return None
            if grant.rule is not None:
                found.joins.extend(grant.rule.values)
        for _, branch in self.branches:
            grant = _grant(related, branch.meta)
            behind = branch.projection.arguments(related)
            if behind is None or not _same_shape(grant, branch.grant):
                return None
            found.rules.append(grant.rule.values if grant.rule is not None else ())
            found.branches.append(behind)
        return found

    def load(self, rows: Rows, *, extra: int = 0) -> "list[DotModel]":
        """Records of `rows`, in their order; `extra` columns behind the projection's own are left out."""
        records: list[DotModel] = self._loader("records", extra)(rows)
        return records

    def payload(self, rows: Rows, *, extra: int = 0) -> list[msgspec.Struct]:
        """`rows` as Structs that encode to the JSON of the API, in their order; `extra` as for `load`."""
        structs: list[msgspec.Struct] = self._loader("structs", extra)(rows)
        return structs

    def grouped(self, rows: Rows, *, as_json: bool) -> dict[int, list[Any]]:
        """Records or Structs of `rows` that have the id of the row they hang on before their columns, by
        that id."""
        groups: dict[int, list[Any]] = self._loader("json groups" if as_json else "record groups", 0)(rows)
        return groups

    def _loader(self, kind: str, extra: int) -> loaders.Loader:
        loader = self._loaders.get((kind, extra))
        if loader is None:
            loader = self._loaders[kind, extra] = loaders.compile_loader(self._root, kind, extra)
        return loader

    def _find(self, path: str) -> tuple[Node, str]:
        node = self._root
        *hops, name = path.split(".")
        for hop in hops:
            node = node.children[hop]
        return node, name


def _grant(related: Related | None, meta: ModelMeta) -> Grant:
    return related(meta, "read") if related is not None else UNLIMITED


def _same_shape(one: Grant, other: Grant) -> bool:
    if one is other:
        return True
    shapes = [grant.rule.shape if grant.rule is not None else None for grant in (one, other)]
    return one.hidden == other.hidden and shapes[0] == shapes[1]
