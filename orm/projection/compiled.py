"""A compiled list of fields: the columns of its statement, and what makes records or JSON of the rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orm.access import UNLIMITED, Grant
from orm.builder.text import column
from orm.fields.base import Field
from orm.filters.parse import Related
from orm.metadata import ModelMeta
from orm.ordering import Order, parse_order
from orm.projection import loaders
from orm.projection.tree import Branch, Join, Node, branches_of, columns_of, joins_of

if TYPE_CHECKING:
    from orm.model import DotModel

Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The values that a projection's statements need of whoever asks: those of its joins' rules, for each
    branch the values of its own rule, and the same again for what lies behind it."""

    joins: tuple[Any, ...] = ()
    rules: tuple[tuple[Any, ...], ...] = ()
    branches: "tuple[Arguments, ...]" = ()


NO_ARGUMENTS: Final = Arguments()


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """An order of a projection's rows: its terms, those of its columns that the projection does not fetch by
    itself, and where in a row that has these behind the others the value of each term stands."""

    terms: Order
    extra: tuple[str, ...]
    positions: tuple[int, ...]


MOST_ORDERS: Final = 64
"""Kept for one projection: a client chooses them."""


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
        self._orders: dict[Any, Ordered] = {}

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
        if not self.joins and not self.branches:
            return NO_ARGUMENTS
        joins: list[Any] = []
        for join in self.joins:
            grant = _grant(related, join.target)
            if not _same_shape(grant, join.grant):
                return None
            if grant.rule is not None:
                joins.extend(grant.rule.values)
        rules: list[tuple[Any, ...]] = []
        branches: list[Arguments] = []
        for _, branch in self.branches:
            grant = _grant(related, branch.meta)
            behind = branch.projection.arguments(related)
            if behind is None or not _same_shape(grant, branch.grant):
                return None
            rules.append(grant.rule.values if grant.rule is not None else ())
            branches.append(behind)
        return Arguments(tuple(joins), tuple(rules), tuple(branches))

    def ordered(self, order: str | Sequence[str] | None, pointer: str = "") -> Ordered:
        """`order` checked, see parse_order, and where its values stand in a row."""
        key = tuple(order) if order.__class__ is list else order
        try:
            found = self._orders.get(key)
        except TypeError:
            found = None  # it is no list of names, and about to be refused
        if found is None:
            found = self._order(order, pointer)
            if len(self._orders) >= MOST_ORDERS:
                self._orders.clear()
            self._orders[key] = found
        return found

    def _order(self, order: str | Sequence[str] | None, pointer: str) -> Ordered:
        terms = parse_order(self.meta, order, hidden=self._root.grant.hidden, pointer=pointer)
        extra = tuple(name for name, _ in terms if name not in self.names)
        positions = tuple(
            self.names.index(name) if name in self.names else self.width + extra.index(name)
            for name, _ in terms
        )
        return Ordered(terms, extra, positions)

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
