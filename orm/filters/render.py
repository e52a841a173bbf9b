"""From the shape of a filter to SQL. Pure: a shape and metadata go in, text comes out; values are never
seen here."""

from collections.abc import Callable
from typing import Final

from orm.builder.text import VERSION, Parameters, column, selected
from orm.fields.relations import RelationField
from orm.filters.parse import Shape
from orm.metadata import ModelMeta

Column = Callable[[str], str]

SAME_VERSION: Final[Shape] = ("version",)
"""The row is still the one that was read: no filter says this, but a write may."""

_LIKE: Final = {"like": "LIKE", "ilike": "ILIKE"}


SAME_VALUE: Final = "same"
"""The kind of a condition: a column keeps the value that it has. No filter says this, either."""


def render_filter(
    shape: Shape, meta: ModelMeta, alias: str, parameters: Parameters, *, columns: Column | None = None
) -> str:
    """A boolean SQL expression over the rows of `meta` under `alias`.

    Placeholders are taken from `parameters` in the order in which parsing met the values. `columns` says
    what stands for a column where that is not the row itself: the values of a row that is about to be
    written, for instance."""
    return _Renderer(parameters, alias).render(shape, meta, columns or (lambda name: column(alias, name)))


def has_path(shape: Shape) -> bool:
    """Whether a condition looks at rows of other tables."""
    return shape[:1] == ("via",) or any(has_path(part) for part in shape if isinstance(part, tuple))


def columns_of(shape: Shape, meta: ModelMeta) -> set[str]:
    """The columns of the row itself that a condition looks at: for a to-many relation that is the id."""
    kind = shape[0]
    if kind in ("and", "or", "not"):
        return {name for part in shape[1:] for name in columns_of(part, meta)}
    field = meta.fields[shape[1]]
    return {field.own if isinstance(field, RelationField) else field.name}


class _Renderer:
    def __init__(self, parameters: Parameters, alias: str) -> None:
        self.parameters = parameters
        self.alias = alias
        self.depth = 0

    def render(self, shape: Shape, meta: ModelMeta, columns: Column) -> str:
        kind = shape[0]
        if kind in ("and", "or"):
            return self._join(shape, meta, columns)
        if kind == "not":
            return self._not(shape[1], meta, columns)
        if kind == "via":
            return self._via(shape, meta, columns)
        if shape == SAME_VERSION:
            # as text: to cast a text to xid is an error for some and a number for others, by version of the
            # server
            return f"{selected(self.alias, VERSION)} = {self.parameters.next('text')}"
        name = shape[1]
        type_ = meta.fields[name].filter_type
        here = columns(name)
        if kind == SAME_VALUE:
            return f"{column(self.alias, name)} IS NOT DISTINCT FROM {here}"
        if kind == "null":
            return f"{here} IS NULL"
        if kind == "cmp":
            return f"{here} {shape[2]} {self.parameters.next(type_)}"
        if kind == "like":
            return f"{here} {_LIKE[shape[2]]} {self.parameters.next('text')}"
        if kind == "between":
            return f"{here} BETWEEN {self.parameters.next(type_)} AND {self.parameters.next(type_)}"
        if kind == "contains":
            return f"{here} @> {self.parameters.next('jsonb')}"
        any_of = f"{here} = ANY({self.parameters.next(type_ + '[]')})"
        return f"({any_of} OR {here} IS NULL)" if shape[2] else any_of

    def _join(self, shape: Shape, meta: ModelMeta, columns: Column) -> str:
        if len(shape) == 1:
            return "TRUE" if shape[0] == "and" else "FALSE"
        word = f" {shape[0].upper()} "
        return f"({word.join(self.render(part, meta, columns) for part in shape[1:])})"

    def _not(self, inner: Shape, meta: ModelMeta, columns: Column) -> str:
        if inner[0] == "null":
            return f"{columns(inner[1])} IS NOT NULL"
        if inner[0] == "via":
            return f"NOT {self.render(inner, meta, columns)}"
        # NOT of an unknown is unknown, and such a row would be in neither half
        return f"({self.render(inner, meta, columns)}) IS NOT TRUE"

    def _via(self, shape: Shape, meta: ModelMeta, columns: Column) -> str:
        _, name, inner, rule = shape
        target = meta.targets[name]
        self.depth += 1
        alias = f"{self.alias}_{self.depth}"
        there: Column = lambda other: column(alias, other)  # noqa: E731 - closes over this hop's alias
        relation = meta.fields[name]
        assert isinstance(relation, RelationField)
        conditions = [f"{relation.key(alias)} = {columns(relation.own)}"]
        if inner != ("and",):
            conditions.append(self.render(inner, target, there))
        if rule is not None:
            conditions.append(self.render(rule, target, there))
        # identifiers come from metadata, values are parameters
        source = relation.source(alias, target.table)
        return f"EXISTS (SELECT 1 FROM {source} WHERE {' AND '.join(conditions)})"
