"""SELECT for a to-many relation: the rows that hang on many parents at once, each with the id of its
parent before its columns."""

from orm.builder.select import ROOT, joins, order_by
from orm.builder.text import Parameters
from orm.filters.parse import EVERYTHING, Shape
from orm.filters.render import render_filter
from orm.projection import Branch


def branch_rows(branch: Branch, rule: Shape, *, as_json: bool = False) -> str:
    """Values in this order: the ids of the parents, the rules of joined models, the filter, `rule`, the
    limit if there is one.

    Without a limit one pass over the rows of all parents does. With one each parent gets a subquery of its
    own (LATERAL), which stops after so many rows where an index gives the order; ranking all rows and
    dropping most would read them all."""
    parameters = Parameters()
    ids = parameters.next("bigint[]")
    source = branch.field.source(ROOT, branch.meta.table) + joins(branch.projection, parameters)
    key = branch.field.key(ROOT)
    columns = ", ".join(branch.projection.select_list(as_json=as_json))
    conditions = [
        render_filter(shape, branch.meta, ROOT, parameters)
        for shape in (branch.filter.shape, rule)
        if shape != EVERYTHING
    ]
    order = f"ORDER BY {order_by(branch.meta, branch.order)}"
    if branch.limit is None:
        where = " AND ".join([f"{key} = ANY({ids})", *conditions])
        return f"SELECT {key}, {columns} FROM {source} WHERE {where} {order}"
    where = " AND ".join([f"{key} = p.id", *conditions])
    inner = f"SELECT {columns} FROM {source} WHERE {where} {order} LIMIT {parameters.next('bigint')}"
    return f"SELECT p.id, x.* FROM unnest({ids}) AS p(id) CROSS JOIN LATERAL ({inner}) x"
