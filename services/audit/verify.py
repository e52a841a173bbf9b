"""Walking the chain, from its first link to its last: is the log what it was?"""

import msgspec

from orm.database import Database
from orm.errors import Conflict
from services.audit.chain import BATCH, BEFORE_ALL, GENESIS, Link, links_after
from services.audit.diagnosis import Break, diagnosed, missing_links
from services.audit.trimming import announced_hash
from sql import statements

_SQL = statements("audit/chain")


class Note(msgspec.Struct, frozen=True):
    """A position and the hash that stood there, noted where the database cannot reach it."""

    position: int
    hash: bytes


class Verdict(msgspec.Struct, frozen=True):
    """What a walk found: `position` and `hash` of the last link that was reached, how many entries wait to be
    chained, and the first break. The log is whole when there is none. Entries up to position `trimmed` were
    removed for their age."""

    position: int
    hash: bytes
    waiting: int
    first_break: Break | None
    trimmed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.first_break is None


async def verify(db: Database, note: Note | None = None) -> Verdict:
    """Whether every entry is what it was when it was chained, and every entry is chained or waits for it.

    Reads with constant memory, in short transactions, while others write and close. What was cut off at the
    end, or rewritten as a whole, shows only against a `note`. Raises Conflict when there is no log.
    """
    if not (await db.run(_SQL["has_tables"]))[0][0]:
        raise Conflict(
            "this database has no audit log: start Starling on it once with the audit module installed"
        )
    while True:
        begin = await _beginning(db)
        position, last, found = await _walk(db, begin)
        if found is None or begin == await _beginning(db):
            break  # else entries were removed for their age in the meantime
    if found is None and note is not None:
        found = await _compare(db, note, begin, position)
    ((waiting, gone, unchained),) = await db.run(_SQL["outside"])
    if found is None:
        found = _outside(gone, unchained)
    return Verdict(position, last, waiting, found, begin.position)


async def _beginning(db: Database) -> Note:
    """What the first link has to follow from."""
    first = await links_after(db, BEFORE_ALL, 1)
    if first and first[0].position > 1:
        trimmed = first[0].position - 1
        announced = await announced_hash(db, trimmed)
        if announced is not None:
            return Note(trimmed, announced)
    return Note(0, GENESIS)


async def _walk(db: Database, begin: Note) -> tuple[int, bytes, Break | None]:
    """The last position that is in order and its hash, and the first break behind it."""
    before: bytes | None = None
    position, previous = begin.position, begin.hash
    asked = BEFORE_ALL
    while links := await links_after(db, asked, BATCH):
        for index, link in enumerate(links):
            if link.position != position + 1:
                return position, previous, missing_links(position + 1, link)
            if not link.follows(previous):
                following = links[index + 1] if index + 1 < len(links) else await _next(db, link)
                return position, previous, await diagnosed(db, before, previous, link, following)
            position, before, previous = link.position, previous, link.hash
        asked = position
    return position, previous, None


async def _next(db: Database, link: Link) -> Link | None:
    found = await links_after(db, link.position, 1)
    return found[0] if found else None


async def _compare(db: Database, note: Note, begin: Note, last: int) -> Break | None:
    if note.position < begin.position:
        return Break(
            "trimmed",
            f"position {note.position} was noted, and entries up to position {begin.position} were removed "
            "for their age: give a newer note",
            position=note.position,
        )
    if note.position == begin.position:
        stored = [[begin.hash]]
    else:
        stored = await db.run(_SQL["link_at"], [note.position])
    if not stored:
        return Break(
            "cut",
            f"the chain ends at position {last}, and position {note.position} was noted: its tail was cut "
            "off",
            position=last + 1,
        )
    if stored[0][0] != note.hash:
        return Break(
            "rewritten",
            f"the hash at position {note.position} is not the one that was noted: "
            "the chain was written anew at this position or before it",
            position=note.position,
        )
    return None


def _outside(gone: int | None, unchained: int | None) -> Break | None:
    if gone is not None:
        return Break("removed", f"entry {gone} was removed while it waited to be chained", entry_id=gone)
    if unchained is not None:
        return Break(
            "unchained",
            f"entry {unchained} is neither in the chain nor waits for it: it was inserted past the triggers "
            "of the log, or its link was removed from the end of the chain",
            entry_id=unchained,
        )
    return None
