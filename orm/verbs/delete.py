"""Deleting rows: one record, or all that pass a filter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orm.builder import write as build
from orm.verbs.row import affected, delete_by_id
from orm.verbs.scope import Scope
from orm.verbs.update import refuse_empty

if TYPE_CHECKING:
    from orm.model import DotModel


async def delete_one(record: "DotModel") -> None:
    """See DotModel.delete."""
    await delete_row(type(record), record.id)


async def delete_row(cls: "type[DotModel]", id: int, *, api: bool = False) -> None:
    """Remove the row `id`. `api`: a client of the API asks (see Scope).

    Raises RecordNotFound when there is none, or none that the asker may remove."""
    await delete_by_id(Scope(cls, "delete", api=api), id)


async def delete_many(
    cls: "type[DotModel]", filter: Sequence[Any], all_rows: bool, *, api: bool = False
) -> int:
    """See DotModel.delete_bulk. `api`: a client of the API asks (see Scope)."""
    refuse_empty(cls, filter, all_rows, "delete_bulk")
    scope = Scope(cls, "delete", api=api)
    parsed, sight = scope.parse(filter), scope.sight()
    shapes = (parsed.shape, scope.rule, sight.shape)
    text = scope.registry.texts.get(
        ("delete_many", scope.meta.table, *shapes), lambda: build.delete(scope.meta, shapes)
    )
    _, tag = await scope.db.run_tagged(text, [*parsed.values, *scope.rule_values, *sight.values])
    return affected(tag)
