"""Deleting rows: one record, or all that pass a filter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orm.verbs.attended import one_write
from orm.verbs.row import delete_passing, locked_ids, rows_named
from orm.verbs.scope import Scope
from orm.verbs.update import refuse_empty
from orm.verbs.whole import delete_whole

if TYPE_CHECKING:
    from orm.model import DotModel


async def delete_one(record: "DotModel") -> None:
    """See DotModel.delete."""
    await delete_row(type(record), record.id)


async def delete_row(
    cls: "type[DotModel]", id: int, *, version: str | None = None, api: bool = False
) -> None:
    """Remove the row `id`. `api`: a client of the API asks (see Scope). With a `version` (see read.one) only
    while the row has it.

    Raises RecordNotFound when there is none, or none that the asker may remove, StaleRow when it has another
    version."""
    await delete_whole(Scope(cls, "delete", api=api), id, version=version)


async def delete_many(
    cls: "type[DotModel]", filter: Sequence[Any], all_rows: bool, *, api: bool = False
) -> int:
    """See DotModel.delete_bulk. `api`: a client of the API asks (see Scope)."""
    refuse_empty(cls, filter, all_rows, "delete_bulk")
    scope = Scope(cls, "delete", api=api)
    meta = scope.meta
    condition = scope.parse(filter)
    if "delete" not in meta.attended:
        return await delete_passing(scope, condition)
    if not meta.has_hooks("delete"):
        async with one_write(scope, steps=False):
            return await delete_passing(scope, condition)
    async with one_write(scope, steps=True):
        ids = await locked_ids(scope, condition)
        if ids:
            await meta.cls.before_delete(ids)
            await delete_passing(scope, rows_named(ids), is_ours=True)
            await meta.cls.after_delete(ids)
        return len(ids)
