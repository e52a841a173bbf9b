"""What happened where a link does not follow from the one before it.

A hash says that something is wrong, not what. What fits where, when a link or an entry is put in another
place, tells the cases apart."""

from typing import Literal

import msgspec

from orm.database import Database
from services.audit.chain import BATCH, BEFORE_ALL, Link, canonical_entries, link_hash, links_after
from sql import statements

Kind = Literal["changed", "removed", "reordered", "inserted", "unchained", "cut", "rewritten", "trimmed"]

_SQL = statements("audit/chain")


class Break(msgspec.Struct, frozen=True):
    """The first thing that is wrong, in a sentence. `position` is null for an entry outside of the chain,
    `entry_id` where no entry is left to name."""

    kind: Kind
    sentence: str
    position: int | None = None
    entry_id: int | None = None


def missing_links(expected: int, link: Link) -> Break:
    """The break where the link after `expected - 1` has another position."""
    if link.position < expected:
        return Break(
            "inserted",
            f"position {link.position} is before the first: this link was inserted",
            position=link.position,
            entry_id=link.entry_id,
        )
    missing = (
        f"the link at position {expected} was"
        if link.position == expected + 1
        else f"the links at positions {expected} to {link.position - 1} were"
    )
    return Break("removed", f"{missing} removed from the chain", position=expected)


async def diagnosed(
    db: Database, before: bytes | None, previous: bytes, link: Link, following: Link | None
) -> Break:
    """What is wrong with `link`, which does not follow from the hash `previous`.

    `before` is the hash before `previous`, None at the first link; `following` the next link. Where these do
    not tell, the whole log is searched for what belongs here.
    """
    if link.entry is None:
        sentence = f"entry {link.entry_id} at position {link.position} was removed"
        return Break("removed", sentence, position=link.position, entry_id=link.entry_id)
    if before is not None and link.follows(before):
        position = link.position - 1
        return _inserted(position, (await links_after(db, position - 1, 1))[0].entry_id)
    if following is not None and following.follows(previous):
        if link.follows(following.hash):
            return _reordered(link, following.position)
        return _inserted(link.position, link.entry_id)
    return await _searched(db, previous, link) or _changed(previous, link, following)


def _inserted(position: int, entry_id: int) -> Break:
    return Break(
        "inserted",
        f"the link at position {position}, of entry {entry_id}, was inserted: the next one follows from the "
        "one before it",
        position=position,
        entry_id=entry_id,
    )


async def _searched(db: Database, previous: bytes, link: Link) -> Break | None:
    """The break, when an entry somewhere in the log is the one that belongs here; else None."""
    asked = BEFORE_ALL
    while ids := [row["id"] for row in await db.run(_SQL["entry_ids"], [asked, BATCH])]:
        links = {row["entry_id"]: row for row in await db.run(_SQL["links_of"], [ids])}
        for entry_id, entry in (await canonical_entries(db, ids)).items():
            wanted = link_hash(previous, entry)
            its_link = links.get(entry_id)
            if its_link is not None and wanted in (its_link["hash"], link.hash):
                return _reordered(link, its_link["position"])
            if its_link is None and wanted == link.hash:
                return _names_another(link, entry_id)
            if link.entry is not None and link_hash(wanted, link.entry) == link.hash:
                return _link_lost(link, entry_id)
        asked = ids[-1]
    return None


def _reordered(link: Link, other: int) -> Break:
    return Break(
        "reordered",
        f"the links at positions {link.position} and {other} are not where they were made: what stands at "
        f"{other} belongs at {link.position}",
        position=link.position,
        entry_id=link.entry_id,
    )


def _names_another(link: Link, entry_id: int) -> Break:
    return Break(
        "changed",
        f"the link at position {link.position} was changed: it was made for entry {entry_id} and names entry "
        f"{link.entry_id}",
        position=link.position,
        entry_id=link.entry_id,
    )


def _link_lost(link: Link, entry_id: int) -> Break:
    return Break(
        "removed",
        f"the link of entry {entry_id}, which stood at position {link.position}, was removed, and the rest "
        "moved up",
        position=link.position,
        entry_id=entry_id,
    )


def _changed(previous: bytes, link: Link, following: Link | None) -> Break:
    """Nothing else fits: the entry was changed, or its hash was, which the next link tells apart."""
    assert link.entry is not None
    right = link_hash(previous, link.entry)
    if following is not None and following.follows(right):
        sentence = f"the hash at position {link.position}, of entry {link.entry_id}, was changed"
    else:
        sentence = (
            f"entry {link.entry_id} at position {link.position} was changed since it was chained, or a link "
            "and its entry before it were removed"
        )
    return Break("changed", sentence, position=link.position, entry_id=link.entry_id)
