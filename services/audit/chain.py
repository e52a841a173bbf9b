"""The chain of hashes: reading entries and links, and adding links. The package says how it works."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from orm.database import Database
from services.audit.canonical import canonical_entry
from sql import statements

GENESIS: Final = bytes(32)
"""What stands in for the hash before the first."""

LEASE: Final = 0x7E12422D
"""The first four bytes of sha256("starling audit"), the sign bit cleared."""

BEFORE_ALL: Final = -(2**63)
"""Below every id and position: somebody may have given an entry an id of his own."""

BATCH: Final = 200
"""Entries of one transaction of the closer, or of one look of the verifier: some 10 milliseconds, and as many
rows in memory, of which each may be large."""

_AT_ONCE: Final = 50
"""Entries hashed before the event loop gets its turn: about a millisecond."""

_SQL = statements("audit/chain")


class Link(msgspec.Struct, frozen=True):
    """A link as it is stored, and the canonical bytes of its entry: None when the entry is gone."""

    position: int
    entry_id: int
    hash: bytes
    entry: bytes | None

    def follows(self, previous: bytes) -> bool:
        """Whether this link is the one that belongs behind the hash `previous`."""
        return self.entry is not None and link_hash(previous, self.entry) == self.hash


def link_hash(previous: bytes, entry: bytes) -> bytes:
    """The hash of the link with that entry behind the hash `previous`."""
    return hashlib.sha256(previous + entry).digest()


async def close_waiting(db: Database) -> int:
    """How many entries became links: all that were visible and waited, in batches, by id within each.

    0 also when another process is at it. Entries of transactions that are still open wait for the next time.
    """
    if not (await db.run(_SQL["is_waiting"]))[0][0]:
        return 0
    closed, last_id = 0, BEFORE_ALL
    while True:
        ids, count = await _close_batch(db, last_id)
        closed += count
        if len(ids) < BATCH:
            return closed
        last_id = ids[-1]


async def _close_batch(db: Database, after_id: int) -> tuple[list[int], int]:
    """The waiting ids behind `after_id` that were looked at, and how many of them are in the chain now."""
    # Read committed, whatever the server's default: each statement sees what was committed before it, the
    # last holder's links among it.
    async with db.transaction(isolation="read committed"):
        if not (await db.run(_SQL["take_lease"], [LEASE]))[0][0]:
            return [], 0
        ids = [row[0] for row in await db.run(_SQL["waiting"], [after_id, BATCH])]
        head = await db.run(_SQL["head"])
        position, previous = head[0] if head else (0, GENESIS)
        hashes: list[bytes] = []
        entries = await canonical_entries(db, ids)
        for entry in entries.values():
            previous = link_hash(previous, entry)
            hashes.append(previous)
        if entries:
            positions = range(position + 1, position + 1 + len(entries))
            await db.run(_SQL["append"], [list(positions), list(entries), hashes])
            await db.run(_SQL["no_longer_waiting"], [list(entries)])
    return ids, len(entries)


async def canonical_entries(db: Database, ids: Sequence[int]) -> dict[int, bytes]:
    """The canonical bytes of entries by id, in the order of the ids; those that are gone are absent."""
    found: dict[int, bytes] = {}
    for number, row in enumerate(await db.run(_SQL["entries"], [ids])):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        found[row["id"]] = canonical_entry(row)
    return found


async def links_after(db: Database, position: int, count: int) -> list[Link]:
    """The next `count` links behind `position`, with their entries."""
    rows = await db.run(_SQL["links"], [position, count])
    entries = await canonical_entries(db, [row["entry_id"] for row in rows])
    return [Link(row["position"], row["entry_id"], row["hash"], entries.get(row["entry_id"])) for row in rows]
