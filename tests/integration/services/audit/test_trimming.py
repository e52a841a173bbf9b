"""Old entries are removed, and the rest of the log can still be verified."""

import datetime

import asyncpg
import pytest

from app.core.environment import Environment
from services.audit.chain import close_waiting
from services.audit.models import AuditEntry
from services.audit.trimming import trim
from services.audit.verify import Note, verify
from tests.integration.services.audit.world import chained, tampering, write, written_and_closed

LATER = datetime.timedelta(hours=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


async def trimmed(env: Environment, older_than: datetime.datetime) -> int:
    """How many entries were removed, once they were announced and the chain was closed over that."""
    with env.bind(), env.system():
        assert await trim(env.db, older_than) == 0
        await close_waiting(env.db)
        return await trim(env.db, older_than - 2 * LATER)


async def test_entries_that_are_old_enough_are_removed_and_the_rest_is_whole(env: Environment) -> None:
    await written_and_closed(env, 5)
    between = now()
    await write(env, 3, prefix="later")
    await close_waiting(env.db)
    before = await verify(env.db)

    assert await trimmed(env, between) == 5

    assert await chained(env) == [6, 7, 8, 9]  # the last one announced it
    after = await verify(env.db)
    assert (after.is_whole, after.trimmed, after.position) == (True, 5, 9)
    assert (await verify(env.db, Note(before.position, before.hash))).is_whole


async def test_the_chain_goes_on_and_is_trimmed_again(env: Environment) -> None:
    await written_and_closed(env, 3)
    assert await trimmed(env, now() + LATER) == 3
    await write(env, 2, prefix="later")
    await close_waiting(env.db)
    assert await trimmed(env, now() + LATER) == 3  # the announcement, and those two
    verdict = await verify(env.db)
    assert (verdict.is_whole, verdict.trimmed, verdict.position) == (True, 6, 7)


async def test_nothing_is_removed_before_the_announcement_is_in_the_chain(env: Environment) -> None:
    await written_and_closed(env, 3)
    with env.bind(), env.system():
        for _ in range(3):
            assert await trim(env.db, now() + LATER) == 0
        assert await AuditEntry.search_count([("action", "=", "audit_trim")]) == 1
    assert (await verify(env.db)).is_whole


async def test_a_note_from_before_can_not_be_compared_and_one_from_the_edge_can(env: Environment) -> None:
    await written_and_closed(env, 3)
    edge = await verify(env.db)
    first = await env.db.fetchval("SELECT hash FROM audit_chain WHERE position = 1")
    await trimmed(env, now() + LATER)
    found = (await verify(env.db, Note(1, first))).first_break
    assert found is not None
    assert found.kind == "trimmed"
    assert (await verify(env.db, Note(3, edge.hash))).is_whole
    rewritten = (await verify(env.db, Note(3, bytes(32)))).first_break
    assert rewritten is not None
    assert rewritten.kind == "rewritten"


async def test_who_removes_the_oldest_links_without_saying_so_breaks_the_chain(env: Environment) -> None:
    await written_and_closed(env, 5)
    async with tampering(env) as connection:
        await connection.execute(
            "DELETE FROM audit_log WHERE id <= 2; DELETE FROM audit_chain WHERE position <= 2"
        )
    found = (await verify(env.db)).first_break
    assert found is not None
    assert found.kind == "removed"


async def test_who_removes_more_than_was_announced_breaks_the_chain(env: Environment) -> None:
    await written_and_closed(env, 5)
    between = now()
    await write(env, 3, prefix="later")
    await close_waiting(env.db)
    await trimmed(env, between)
    async with tampering(env) as connection:
        await connection.execute(
            "DELETE FROM audit_log WHERE id <= 6; DELETE FROM audit_chain WHERE position <= 6"
        )
    found = (await verify(env.db)).first_break
    assert found is not None
    assert found.kind == "removed"


async def test_by_hand_nothing_is_removed_after_a_trim_either(env: Environment) -> None:
    await written_and_closed(env, 3)
    await trimmed(env, now() + LATER)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await env.db.fetch("DELETE FROM audit_log")
