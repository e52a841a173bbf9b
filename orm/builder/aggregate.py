"""SELECT ... GROUP BY: what is counted, summed and averaged over the rows of one model."""

from dataclasses import dataclass

from orm.builder.select import ROOT, joins, where
from orm.builder.text import ByValues, Parameters, quote
from orm.filters.parse import Shape
from orm.filters.render import has_path
from orm.metadata import ModelMeta
from orm.projection import Projection


@dataclass(frozen=True, slots=True)
class Group:
    """One key: the SQL of a column, and for a time the unit that it is cut down to."""

    column: str
    unit: str | None
    is_date: bool

    @property
    def sql(self) -> str:
        """The expression that rows are grouped by. Times are cut in UTC."""
        if self.unit is None:
            return self.column
        if self.is_date:
            return f"date_trunc('{self.unit}', {self.column}::timestamp)::date"
        return f"date_trunc('{self.unit}', {self.column}, 'UTC')"


@dataclass(frozen=True, slots=True)
class Value:
    """One figure: a function and the SQL of the column that it is over."""

    function: str
    column: str


def aggregate(
    meta: ModelMeta,
    projection: Projection,
    groups: tuple[Group, ...],
    values: tuple[Value, ...],
    shapes: tuple[Shape, ...],
) -> str:
    """One row a group, by its keys, nulls last. Values: the rules of joined models, the filters, LIMIT."""
    parameters = Parameters()
    columns = [group.sql for group in groups] + [f"{value.function}({value.column})" for value in values]
    source = f"{quote(meta.table)} {ROOT}{joins(projection, parameters)}"
    text = f"SELECT {', '.join(columns)} FROM {source}{where(meta, shapes, parameters)}"
    if groups:
        keys = ", ".join(str(number) for number in range(1, len(groups) + 1))
        text += f" GROUP BY {keys} ORDER BY {keys}"
    text += f" LIMIT {parameters.next('bigint')}"
    return ByValues(text) if any(map(has_path, shapes)) else text
