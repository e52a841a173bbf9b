"""Writing one row with everything about it: its columns, what hangs on it, its hooks, in one transaction.

A row of a model without hooks or trail, on which no relation is written, is one statement and nothing
else."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from orm.access import UNLIMITED
from orm.builder.text import VERSION
from orm.projection import Projection
from orm.verbs.attended import Records, one_write, read_back, with_create_hooks
from orm.verbs.commands import split
from orm.verbs.payload import NO_NAMES, checked, has_relations, with_defaults
from orm.verbs.references import Asked, asked_references, refuse_hidden
from orm.verbs.relations import write_relations
from orm.verbs.row import (
    delete_passing,
    insert_columns,
    is_judged_late,
    judge,
    locked_ids,
    refusal,
    row_named,
    rows_named,
    update_columns,
)
from orm.verbs.scope import Scope


class Parts(NamedTuple):
    """What is written of one row: its columns as the driver takes them, the commands to its relations, and
    the references that the asker must see the other end of."""

    columns: dict[str, Any]
    related: Mapping[str, Mapping[str, Any]]
    asked: tuple[Asked, ...]


def parts(
    scope: Scope, given: Mapping[str, Any], depth: int = 0, *, ours: frozenset[str] = NO_NAMES
) -> Parts:
    """The parts of `given`, checked; nothing is sent for it. `ours`: see payload.checked."""
    own, related = split(scope, given, depth, ours=ours)
    columns = checked(scope, own, ours=ours)
    return Parts(columns, related, asked_references(scope, columns, ours))


def is_plain(scope: Scope, given: Mapping[str, Any]) -> bool:
    """Whether a write is its statement and nothing else: no rule, no client of the API, no hook, no trail,
    and nothing that hangs on the row. Most are, and the long way round would cost such a row a thirtieth."""
    meta = scope.meta
    return (
        scope.grant is UNLIMITED
        and not scope.api
        and scope.operation not in meta.attended
        and not (meta.to_many and has_relations(meta, given))
    )


def parts_of_hook(scope: Scope, given: Mapping[str, Any], depth: int = 0) -> Parts:
    """The parts of what a hook has made of a row that was checked before: what it adds is the program's own
    word, and no right is asked about."""
    return parts(scope, given, depth, ours=scope.unwritable)._replace(asked=())


async def refuse_hidden_parts(scope: Scope, what: Parts, ids: Sequence[int] = ()) -> None:
    """Raise for references that the asker may not write, before a hook adds some of its own."""
    if what.asked:
        given = {one.name: [what.columns[one.name]] for one in what.asked}
        await refuse_hidden(scope, what.asked, given, ids)


async def insert_whole(
    scope: Scope,
    given: Mapping[str, Any],
    returning: Sequence[str],
    *,
    depth: int = 0,
    ours: frozenset[str] = NO_NAMES,
) -> Any:
    """The new row, its columns `returning`, as the driver gives it. `ours`: see payload.checked."""
    meta = scope.meta
    what = parts(scope, given, depth, ours=ours)
    has_steps = bool(what.related) or is_judged_late(scope)
    if "create" not in meta.attended and not has_steps:
        return await insert_columns(scope, with_defaults(meta, what.columns), returning, what.asked)
    if not meta.has_hooks("create"):
        with_defaults(meta, what.columns)  # what is missing is said before a transaction is opened
        async with one_write(scope, steps=has_steps):
            return await insert_parts(scope, what, returning, depth)

    async def insert(records: Records) -> list[Any]:
        return [await insert_parts(scope, parts_of_hook(scope, records[0], depth), returning, depth)]

    async with one_write(scope, steps=True):
        await refuse_hidden_parts(scope, what)
        return (await with_create_hooks(scope, [given], returning, insert))[0]


async def insert_parts(scope: Scope, what: Parts, returning: Sequence[str], depth: int = 0) -> Any:
    """The same without hooks, in the open transaction."""
    columns = with_defaults(scope.meta, what.columns)
    row = await insert_columns(scope, columns, returning, what.asked)
    if what.related:
        await write_relations(_WRITER, scope, row["id"], what.related, depth)
        [row] = await read_back(scope, [row["id"]], returning)
    if is_judged_late(scope):
        await judge(scope, [row["id"]])
    return row


async def update_whole(
    scope: Scope,
    id: int,
    given: Mapping[str, Any],
    returning: Sequence[str] | None,
    *,
    version: str | None = None,
    depth: int = 0,
    ours: frozenset[str] = NO_NAMES,
) -> Any:
    """The changed row, its columns `returning` (None: those that were written), as the driver gives it.

    `version`: see update_columns; `ours`: see payload.checked."""
    meta = scope.meta
    if is_plain(scope, given):
        return await update_columns(scope, id, checked(scope, given, ours=ours), returning, version)
    what = parts(scope, given, depth, ours=ours)
    has_steps = bool(what.related) or is_judged_late(scope)
    if "update" not in meta.attended and not has_steps:
        return await update_columns(scope, id, what.columns, returning, version, what.asked)
    if not meta.has_hooks("update"):
        async with one_write(scope, steps=has_steps):
            return await _update_parts(scope, id, what, returning, version, depth)
    async with one_write(scope, steps=True):
        await _lock(scope, id, version)
        await refuse_hidden_parts(scope, what, [id])
        values = dict(given)
        await meta.cls.before_update([id], values)
        changed = parts_of_hook(scope, values, depth)
        row = await _update_parts(scope, id, changed, returning, None, depth)
        if "after_update" not in meta.hooks:
            return row
        await meta.cls.after_update([id], values)
        return (await read_back(scope, [id], tuple(row.keys())))[0]


async def _update_parts(
    scope: Scope, id: int, what: Parts, returning: Sequence[str] | None, version: str | None, depth: int
) -> Any:
    # First, and also where no column changes: whoever may not change this row may not change what hangs on
    # it; and the row gets another version.
    row = await update_columns(scope, id, what.columns, returning, version, what.asked)
    if what.related:
        await write_relations(_WRITER, scope, id, what.related, depth)
        [row] = await read_back(scope, [id], tuple(row.keys()))
    if is_judged_late(scope):
        await judge(scope, [id])
    return row


async def delete_whole(scope: Scope, id: int, *, version: str | None = None) -> None:
    """Remove the row. Raises RecordNotFound when there is none, or none that the asker may remove, StaleRow
    when it has another version."""
    meta = scope.meta
    if "delete" not in meta.attended:
        await _delete_row(scope, id, version)
        return
    if not meta.has_hooks("delete"):
        async with one_write(scope, steps=False):
            await _delete_row(scope, id, version)
        return
    async with one_write(scope, steps=True):
        await _lock(scope, id, version)
        await meta.cls.before_delete([id])
        await delete_passing(scope, rows_named([id]), is_ours=True)
        await meta.cls.after_delete([id])


async def _delete_row(scope: Scope, id: int, version: str | None) -> None:
    if not await delete_passing(scope, row_named(id, version)):
        raise await refusal(scope, id, version)


async def _lock(scope: Scope, id: int, version: str | None) -> None:
    if not await locked_ids(scope, row_named(id, version)):
        raise await refusal(scope, id, version)


def names_with_version(projection: Projection, versioned: bool) -> tuple[str, ...]:
    """The columns of a projection for a row to be given back with, and where it is asked for the version
    behind them."""
    return (*projection.names, VERSION) if versioned else projection.names


class _Writer:
    """What relations write the rows on the other side with. See RowWriter."""

    async def insert(
        self, scope: Scope, given: Mapping[str, Any], depth: int, *, ours: frozenset[str] = NO_NAMES
    ) -> int:
        row = await insert_whole(scope, given, ("id",), depth=depth, ours=ours)
        return int(row["id"])

    async def update(
        self, scope: Scope, id: int, given: Mapping[str, Any], depth: int, *, ours: frozenset[str] = NO_NAMES
    ) -> None:
        await update_whole(scope, id, given, ("id",), depth=depth, ours=ours)

    async def delete(self, scope: Scope, id: int) -> None:
        await delete_whole(scope, id)


_WRITER = _Writer()
