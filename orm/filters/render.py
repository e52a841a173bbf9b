"""From the shape of a filter to SQL. Pure: a shape and metadata go in, text comes out; values are never
seen here."""

from collections.abc import Callable
from typing import Final

from orm.builder.text import Parameters, column
from orm.fields.relations import RelationField
from orm.filters.parse import Shape
from orm.metadata import ModelMeta

Column = Callable[[str], str]

_LIKE: Final = {"like": "LIKE", "ilike": "ILIKE"}


def render_filter(
    shape: Shape, meta: ModelMeta, alias: str, parameters: Parameters, *, columns: Column | None = None
) -> str:
    """A boolean SQL expression over the rows of `meta` under `alias`.

    Placeholders are taken from `parameters` in the order in which parsing met the values. `columns` says
    what stands for a column where that is not the row itself: the values of a row that is about to be
    written, for instance."""
    return _Renderer(parameters, alias).render(shape, meta, columns or (lambda name: column(alias, name)))


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
        name = shape[1]
        type_ = meta.fields[name].filter_type
        here = columns(name)
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
