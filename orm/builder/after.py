"""The condition "comes after this row" of a keyset cursor, for any order, nulls last."""

from collections.abc import Sequence

from orm.builder.text import Parameters, column
from orm.metadata import ModelMeta
from orm.ordering import Order


def after(meta: ModelMeta, order: Order, nulls: Sequence[bool], alias: str, parameters: Parameters) -> str:
    """Values: one for each term of `order` whose value is not null, each used under the same placeholder
    everywhere.

    Where all terms run one way and can hold no null it is a comparison of rows, which one index answers.
    Elsewhere it is spelled out: equal in the first n terms, and after in the next one."""
    placeholders = [
        None if is_null else parameters.next(meta.fields[name].filter_type)
        for (name, _), is_null in zip(order, nulls, strict=True)
    ]
    columns = [column(alias, name) for name, _ in order]
    directions = {descending for _, descending in order}
    if len(directions) == 1 and not any(meta.fields[name].nullable for name, _ in order):
        sign = "<" if directions == {True} else ">"
        return f"({', '.join(columns)}) {sign} ({', '.join(str(one) for one in placeholders)})"
    ways = []
    for index, (name, descending) in enumerate(order):
        value = placeholders[index]
        if value is None:
            continue  # nulls are last: nothing comes after one but what ties with it
        sign = "<" if descending else ">"
        beyond = f"{columns[index]} {sign} {value}"
        if meta.fields[name].nullable:
            beyond = f"({beyond} OR {columns[index]} IS NULL)"
        equal = [_equal(one, other) for one, other in zip(columns[:index], placeholders[:index], strict=True)]
        ways.append(" AND ".join([*equal, beyond]))
    return f"({' OR '.join(f'({way})' for way in ways)})"


def _equal(column: str, placeholder: str | None) -> str:
    return f"{column} IS NULL" if placeholder is None else f"{column} = {placeholder}"
