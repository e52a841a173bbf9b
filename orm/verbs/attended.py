"""What attends a write besides its statement: the transaction that holds it together, the word to the audit
trail, and the hooks of the model."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from orm.builder import select as build
from orm.errors import RecordNotFound, UsageError
from orm.verbs.scope import Scope

Records = Sequence[Mapping[str, Any]]


@asynccontextmanager
async def one_write(scope: Scope, *, steps: bool) -> AsyncIterator[None]:
    """A block of which everything is written or nothing, and before which an audited table knows who writes.

    `steps` says that there is more than one statement; a single one needs no savepoint inside of an open
    transaction."""
    db = scope.db
    is_audited = scope.meta.is_audited(scope.operation)
    if db.in_transaction:
        if is_audited:
            await db.announce()  # before a savepoint, with which it could be taken back
        if not steps:
            yield
            return
    async with db.transaction():
        if is_audited:
            await db.announce()
        yield


async def with_create_hooks(
    scope: Scope,
    records: Records,
    returning: Sequence[str],
    insert: Callable[[Records], Awaitable[list[Any]]],
) -> list[Any]:
    """What `insert` gives back of `records` as before_create leaves them: rows, of which `returning` names
    the columns, the id among them."""
    cls = scope.meta.cls
    changed = [dict(record) for record in records]
    await cls.before_create(changed)
    if len(changed) != len(records):
        raise UsageError(
            f"{scope.meta.name}.before_create was given {len(records)} records and left {len(changed)}: "
            "it may change them; further rows are made by the verbs"
        )
    rows = await insert(changed)
    if "after_create" not in scope.meta.hooks:
        return rows
    ids = [row["id"] for row in rows]
    await cls.after_create(ids)
    return await read_back(scope, ids, returning)


async def read_back(scope: Scope, ids: Sequence[int], returning: Sequence[str]) -> list[Any]:
    """The rows `ids` as they are at the end of the write: what hangs on them, or a hook, may have changed
    them once more. Raises RecordNotFound when one of them did not outlive it."""
    texts, key = scope.registry.texts, ("read back", scope.meta.table, returning)
    text = texts.get(key) or texts.put(key, build.rows_by_id(scope.meta, returning))
    rows = await scope.db.run(text, [ids])
    if len(rows) < len(ids):
        raise RecordNotFound(f"a new or changed {scope.meta.name} was deleted by what was written with it")
    return rows
