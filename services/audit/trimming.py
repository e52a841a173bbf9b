"""Removing old entries, so that the chain can still be walked: see the package."""

import datetime
from typing import Final

from orm.database import Database
from services.audit.actions import record
from sql import statements

TRIMMED_AT_ONCE: Final = 50_000
"""Entries of one transaction: half a second."""

ANNOUNCEMENT: Final = "audit_trim"
"""The event that says up to which position, `record_id`, entries are going to be removed, and which hash is
there. Only when it is in the chain itself are they."""

_CHAIN: Final = "audit_chain"
_SQL = statements("audit/trim")


async def trim(db: Database, older_than: datetime.datetime) -> int:
    """How many entries were removed: those that the call before this one announced.

    Announces those that the next one will remove: the oldest, all of which are older than `older_than`.
    """
    ((removed,),) = await db.run(_SQL["trim"])
    for position, hash_there in await db.run(_SQL["old"], [older_than, TRIMMED_AT_ONCE]):
        await record(ANNOUNCEMENT, model=_CHAIN, record_id=position, details={"hash": hash_there.hex()})
    return int(removed)


async def announced_hash(db: Database, position: int) -> bytes | None:
    """The hash that was at a position up to which entries were removed; None when nobody announced that."""
    rows = await db.run(_SQL["announced"], [position])
    return bytes.fromhex(rows[0][0]) if rows else None
