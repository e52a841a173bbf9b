"""Updating rows: one record, or all that pass a filter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orm.builder import write as build
from orm.errors import UsageError
from orm.projection import Projection
from orm.verbs.payload import checked, given_values
from orm.verbs.relations import update_whole
from orm.verbs.row import affected
from orm.verbs.scope import Scope

if TYPE_CHECKING:
    from orm.model import DotModel


async def update_one(
    record: "DotModel", payload: "DotModel | Mapping[str, Any] | None", values: Mapping[str, Any]
) -> None:
    """See DotModel.update."""
    scope = Scope(type(record), "update")
    meta = scope.meta
    given = dict(given_values(meta, payload, values))
    if given.get("id") == record.id:
        del given["id"]
    names = tuple(name for name in meta.columns if name in given) or ("id",)
    row = await update_whole(scope, record.id, given, names)
    for name, value in zip(names, row, strict=True):
        decoder = meta.decoders.get(name)
        decoded = decoder(value) if decoder and value is not None else value
        setattr(record, meta.cls.__slot_of__[name], decoded)


async def update_row(cls: "type[DotModel]", id: int, values: Mapping[str, Any]) -> tuple[Projection, Any]:
    """The row `id` changed by a client of the API (see Scope): the driver's row of what he is shown, and
    its projection."""
    scope = Scope(cls, "update", api=True)
    projection = scope.shown()
    return projection, await update_whole(scope, id, values, projection.names)


async def update_many(
    cls: "type[DotModel]",
    filter: Sequence[Any],
    values: Mapping[str, Any],
    all_rows: bool,
    *,
    api: bool = False,
) -> int:
    """See DotModel.update_bulk. `api`: a client of the API asks (see Scope)."""
    refuse_empty(cls, filter, all_rows, "update_bulk")
    scope = Scope(cls, "update", api=api)
    meta = scope.meta
    columns = checked(meta, values, scope.grant)
    if not columns:
        raise UsageError(f"{meta.name}.update_bulk names no value to write")
    names = tuple(columns)
    parsed, sight = scope.parse(filter), scope.sight()
    shapes = (parsed.shape, scope.rule, sight.shape)
    text = scope.registry.texts.get(
        ("update_many", meta.table, names, *shapes),
        lambda: build.update(meta, names, shapes, rule=scope.rule),
    )
    given = [*columns.values(), *parsed.values, *scope.rule_values, *sight.values, *scope.rule_values]
    _, tag = await scope.db.run_tagged(text, given)
    return affected(tag)


def refuse_empty(cls: "type[DotModel]", filter: Sequence[Any], all_rows: bool, verb: str) -> None:
    """Raise UsageError for a bulk verb without a condition that was not meant for every row in so many
    words."""
    if not filter and not all_rows:
        raise UsageError(
            f"{cls.__name__}.{verb} has no condition; pass a filter, or all=True to mean every row"
        )
