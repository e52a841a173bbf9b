"""SELECT: rows of one model, its to-one relations riding along."""

from collections.abc import Sequence

from orm.builder.after import after
from orm.builder.text import ByValues, Parameters, column, quote, selected
from orm.filters.parse import EVERYTHING, Shape
from orm.filters.render import has_path, render_filter
from orm.metadata import ModelMeta
from orm.ordering import Order
from orm.projection import Projection

ROOT = "t"
"""The alias of the model's own row."""

_COUNT = "count(*) OVER ()"
_TOTAL = '"count(*)"'  # what no column of a model is called


def where(meta: ModelMeta, shapes: tuple[Shape, ...], parameters: Parameters) -> str:
    """A WHERE clause, with its leading blank, of `shapes` joined by AND; empty when they let every row
    pass."""
    parts = [render_filter(shape, meta, ROOT, parameters) for shape in shapes if shape != EVERYTHING]
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def select(
    meta: ModelMeta,
    projection: Projection,
    shapes: tuple[Shape, ...],
    *,
    order: Order,
    limited: bool = False,
    skipping: bool = False,
    counted: bool = False,
    few: bool = False,
    as_json: bool = False,
    lock: str | None = None,
    extra: Sequence[str] = (),
    nulls: Sequence[bool] | None = None,
) -> str:
    """Values in this order: the rules of joined models, the filters, those of `nulls`, LIMIT, OFFSET.

    `extra` are columns behind those of the projection. `nulls` makes it a page of a keyset: rows after one
    of which they say, for each term of the order, whether its value is null.

    A page is cut before its rows are joined: the planner would join all that pass the filter first.

    `counted` adds a last column, how many rows pass `shapes` in all. It is a subquery that the server runs
    once; or where `few` are to be expected (see orm.totals) a window function, for which it keeps every row
    that passes before it can apply the limit. A page of a keyset is not all that passes: there it is always
    the subquery.

    LIMIT is a parameter on purpose. A prepared statement whose limit is a literal may go over to a generic
    plan that walks a whole index, ten times slower here; with a parameter the planner reckons with a tenth
    of the rows, the generic plan looks dear, and it keeps planning for the values. An OFFSET that it cannot
    know either is a second tenth: without it 40 of 200 rows behind an index, newest first, still went over
    to a walk through the whole primary key (4.1 ms instead of 0.75)."""
    parameters = Parameters()
    columns = projection.select_list(as_json=as_json) + [selected(ROOT, name) for name in extra]
    source = f"{quote(meta.table)} {ROOT}"
    joined = joins(projection, parameters)
    condition = where(meta, shapes, parameters)
    inner = "*"
    if counted and not (few and nulls is None):
        columns.append(f"(SELECT count(*) FROM {source}{condition})")  # the same placeholders once more
    elif counted and limited and joined:
        inner = f"*, {_COUNT} AS {_TOTAL}"
        columns.append(f"{ROOT}.{_TOTAL}")
    elif counted:
        columns.append(_COUNT)
    if nulls is not None:
        condition += " AND " if condition else " WHERE "
        condition += after(meta, order, nulls, ROOT, parameters)
    ordered = f" ORDER BY {order_by(meta, order)}" if order else ""
    rows = condition + ordered
    if limited:
        limit = parameters.next("bigint")
        skipped = parameters.next("bigint") if skipping else f"{limit} - {limit}"
        rows += f" LIMIT {limit} OFFSET {skipped}"
    elif skipping:
        rows += f" OFFSET {parameters.next('bigint')}"
    if limited and joined:
        text = (
            f"SELECT {', '.join(columns)} FROM (SELECT {inner} FROM {source}{rows}) {ROOT}{joined}{ordered}"
        )
    else:
        text = f"SELECT {', '.join(columns)} FROM {source}{joined}{rows}"
    if lock:
        text += f" {lock} OF {ROOT}"
    is_list = bool(order)
    return ByValues(text) if is_list and (skipping or any(map(has_path, shapes))) else text


def joins(projection: Projection, parameters: Parameters) -> str:
    """The LEFT JOINs of a projection; a row that a rule hides joins as if it were not there."""
    text = ""
    for join in projection.joins:
        condition = f'{join.alias}."id" = {column(join.parent_alias, join.name)}'
        if join.rule is not None:
            condition += f" AND {render_filter(join.rule, join.target, join.alias, parameters)}"
        text += f" LEFT JOIN {quote(join.target.table)} {join.alias} ON {condition}"
    return text


def order_by(meta: ModelMeta, order: Order) -> str:
    """ORDER BY with nulls last.

    For a column that is never null the words are left out: with them no index on it could give the order
    backwards."""
    terms = []
    for name, descending in order:
        term = column(ROOT, name) + (" DESC" if descending else "")
        terms.append(f"{term} NULLS LAST" if descending and meta.fields[name].nullable else term)
    return ", ".join(terms)


def count(meta: ModelMeta, shapes: tuple[Shape, ...]) -> str:
    """How many rows pass `shapes`."""
    text = f"SELECT count(*) FROM {quote(meta.table)} {ROOT}{where(meta, shapes, Parameters())}"
    return ByValues(text) if any(map(has_path, shapes)) else text


def exists(meta: ModelMeta, shapes: tuple[Shape, ...]) -> str:
    """Whether any row passes `shapes`."""
    return f"SELECT EXISTS (SELECT 1 FROM {quote(meta.table)} {ROOT}{where(meta, shapes, Parameters())})"


def locked_ids(meta: ModelMeta, shapes: tuple[Shape, ...], lock: str) -> str:
    """The ids of the rows that pass `shapes`, locked one after the other in their order, so that two who lock
    the same rows do not wait for each other."""
    condition = where(meta, shapes, Parameters())
    id_column = column(ROOT, "id")
    return f"SELECT {id_column} FROM {quote(meta.table)} {ROOT}{condition} ORDER BY {id_column} {lock}"


def rows_by_id(meta: ModelMeta, names: Sequence[str]) -> str:
    """The columns `names` of the rows whose ids are `$1`, in the order of the ids."""
    columns = ", ".join(selected(ROOT, name) for name in names)
    source = f'unnest($1::bigint[]) WITH ORDINALITY AS n("id", "ordinality") JOIN {quote(meta.table)} {ROOT}'
    return f'SELECT {columns} FROM {source} USING ("id") ORDER BY n."ordinality"'


def ids_of(meta: ModelMeta, reference: str) -> str:
    """The ids of the rows whose `reference` is `$1`, locked against change: what is written next rests on
    them."""
    where = f"{column(ROOT, reference)} = $1::bigint"
    return f"SELECT {column(ROOT, 'id')} FROM {quote(meta.table)} {ROOT} WHERE {where} FOR NO KEY UPDATE"


def ids_that_pass(meta: ModelMeta, rule: Shape) -> str:
    """Those of the ids `$1` whose rows pass `rule`, whose values follow."""
    parameters = Parameters()
    parts = [f"{column(ROOT, 'id')} = ANY({parameters.next('bigint[]')})"]
    if rule != EVERYTHING:
        parts.append(render_filter(rule, meta, ROOT, parameters))
    return f"SELECT {column(ROOT, 'id')} FROM {quote(meta.table)} {ROOT} WHERE {' AND '.join(parts)}"
