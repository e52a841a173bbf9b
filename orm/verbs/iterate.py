"""Iterating over any number of rows in constant memory, through a cursor on the server."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orm.database import Database
from orm.transaction import Transaction, active
from orm.verbs.read import many

if TYPE_CHECKING:
    from orm.model import DotModel

M = TypeVar("M", bound="DotModel")

LARGEST_BATCH = 10_000


async def iterate(
    cls: type[M],
    filter: Sequence[Any],
    fields: Sequence[str] | None,
    nested: Mapping[str, Any],
    order: str | Sequence[str] | None,
    batch: int,
) -> AsyncGenerator[M, None]:
    """See DotModel.iterate."""
    if batch.__class__ is not int or not 1 <= batch <= LARGEST_BATCH:
        raise ValueError(f"batch={batch!r}: it is a number of rows from 1 to {LARGEST_BATCH}")
    reading = many(cls, filter, fields, nested=nested, order=order)
    async with _transaction(reading.scope.db) as transaction:
        cursor = await transaction.open_cursor(reading.text, reading.values)
        while rows := await cursor.fetch(batch):
            with transaction.bound():
                records = await reading.records(rows)
            for record in records:
                yield cast(M, record)


@asynccontextmanager
async def _transaction(db: Database) -> AsyncIterator[Transaction]:
    """The transaction that the caller is in, or one of the iteration's own.

    Its own is not bound to the context: between two rows the context is the caller's, who would otherwise
    write inside it, and would be left in it by a loop that breaks off."""
    outer = active(db)
    if outer is not None:
        yield outer
        return
    transaction = db.transaction(isolation="repeatable read", readonly=True)
    await transaction.open()
    try:
        yield transaction
    finally:
        await transaction.close(failed=True)  # it wrote nothing: there is nothing to commit
