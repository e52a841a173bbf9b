"""The order of a search: names, a minus for descending, the id as the last tie-break."""

from collections.abc import Sequence

from orm.metadata import ModelMeta
from orm.refusals import hidden_field, unknown_field, wrong

Order = tuple[tuple[str, bool], ...]
"""(field name, whether descending), the id always among them."""

MAX_TERMS = 10


def parse_order(
    meta: ModelMeta,
    order: str | Sequence[str] | None,
    *,
    hidden: frozenset[str] = frozenset(),
    pointer: str = "",
) -> Order:
    """`order` checked and with its tie-break: the id, in the direction of the last term, so that one index
    can serve both.

    None or nothing orders by id. Raises FilterError for an unknown or unordered field, AccessDenied for a
    hidden one."""
    terms: dict[str, bool] = {}
    if order is not None and not isinstance(order, str | list | tuple):
        raise wrong(pointer, "type", 'an order is a field name, "-name" for descending, or a list of them')
    given = [order] if isinstance(order, str) else list(order or ())
    if len(given) > MAX_TERMS:
        raise wrong(pointer, "too_many", f"an order has at most {MAX_TERMS} terms")
    for index, term in enumerate(given):
        place = pointer if isinstance(order, str) else f"{pointer}/{index}"
        if not isinstance(term, str):
            raise wrong(place, "type", 'a term of an order is a field name, "-name" for descending')
        name = term.removeprefix("-")
        field = meta.fields.get(name)
        if field is None:
            raise unknown_field(meta, name, place)
        if name in hidden:
            raise hidden_field(meta, name, place)
        if not field.stored or not field.is_ordered:
            raise wrong(place, "not_ordered", f"{meta.name}.{name} is {field.kind} and has no order")
        if "id" not in terms:  # it is unique: whatever comes after it cannot matter, and is still looked at
            terms.setdefault(name, term.startswith("-"))
    descending = next(reversed(terms.values()), False)
    terms.setdefault("id", descending)
    return tuple(terms.items())
