"""Updating rows: one record, or all that pass a filter."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orm.errors import UsageError, ValidationError
from orm.metadata import ModelMeta
from orm.projection import Projection
from orm.verbs.attended import one_write
from orm.verbs.payload import NO_NAMES, checked, given_values, has_relations, invalid_at
from orm.verbs.references import asked_references, refuse_hidden
from orm.verbs.row import is_judged_late, judge, locked_ids, rows_named, update_passing
from orm.verbs.scope import Scope
from orm.verbs.whole import names_with_version, update_whole

if TYPE_CHECKING:
    from orm.model import DotModel


async def update_one(
    record: "DotModel", payload: "DotModel | Mapping[str, Any] | None", values: Mapping[str, Any]
) -> None:
    """See DotModel.update."""
    scope = Scope(type(record), "update")
    meta = scope.meta
    given = dict(given_values(meta, payload, values))
    if "id" in given and given.pop("id") != record.id:
        raise _fixed_id(meta)
    row = await update_whole(scope, record.id, given, None)
    if meta.to_many and has_relations(meta, given):
        _unload(record, meta.to_many.intersection(given))
    for name, value in row.items():
        decoder = meta.decoders.get(name)
        decoded = decoder(value) if decoder and value is not None else value
        setattr(record, meta.cls.__slot_of__[name], decoded)


async def update_row(
    cls: "type[DotModel]",
    id: int,
    values: Mapping[str, Any],
    *,
    version: str | None = None,
    versioned: bool = False,
) -> tuple[Projection, Any]:
    """The row `id` changed by a client of the API (see Scope): the driver's row of what he is shown, and
    its projection.

    With a `version` (see read.one) only while the row has it, else StaleRow is raised. `versioned` puts the
    new one behind the last column."""
    scope = Scope(cls, "update", api=True)
    projection = scope.shown()
    names = names_with_version(projection, versioned)
    return projection, await update_whole(scope, id, values, names, version=version)


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
    columns = checked(scope, values)
    if "id" in columns:
        raise _fixed_id(meta)
    if not columns:
        raise UsageError(f"{meta.name}.update_bulk names no value to write")
    condition = scope.parse(filter)
    asked = asked_references(scope, columns, NO_NAMES)
    is_late = is_judged_late(scope)
    if "update" not in meta.attended and not is_late:
        return await update_passing(scope, columns, condition, asked=asked)
    if not meta.has_hooks("update") and not is_late:
        async with one_write(scope, steps=False):
            return await update_passing(scope, columns, condition, asked=asked)
    async with one_write(scope, steps=True):
        ids = await locked_ids(scope, condition)
        if ids:
            await refuse_hidden(scope, asked, {one.name: [columns[one.name]] for one in asked}, ids)
            await _update_locked(scope, values, ids)
        return len(ids)


async def _update_locked(scope: Scope, given: Mapping[str, Any], ids: Sequence[int]) -> None:
    """The same for rows that are known, with hooks."""
    cls, values = scope.meta.cls, dict(given)
    await cls.before_update(ids, values)
    columns = checked(scope, values, ours=scope.unwritable)
    if columns:
        await update_passing(scope, columns, rows_named(ids), is_ours=True)
    if is_judged_late(scope):
        await judge(scope, ids)
    await cls.after_update(ids, values)


def _fixed_id(meta: ModelMeta) -> ValidationError:
    return invalid_at("/id", "readonly", f"{meta.name}.id is what the row is known by and does not change")


def _unload(record: "DotModel", names: Iterable[str]) -> None:
    """Take lists of related rows away that commands have made others of: to be read again they are asked
    for again."""
    for name in names:
        with contextlib.suppress(AttributeError):  # it was not loaded
            delattr(record, name)


def refuse_empty(cls: "type[DotModel]", filter: Sequence[Any], all_rows: bool, verb: str) -> None:
    """Raise UsageError for a bulk verb without a condition that was not meant for every row in so many
    words."""
    if not filter and not all_rows:
        raise UsageError(
            f"{cls.__name__}.{verb} has no condition; pass a filter, or all=True to mean every row"
        )
