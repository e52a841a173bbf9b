"""What a walk of the chain says of a log that is as it was written."""

import hashlib

from app.core.environment import Environment
from services.audit.chain import BATCH, GENESIS, close_waiting
from services.audit.verify import Note, Verdict, verify
from tests.integration.services.audit.world import (
    Member,
    asking,
    chained,
    tampering,
    write,
    written_and_closed,
)


async def test_an_empty_log_is_whole(env: Environment) -> None:
    assert await verify(env.db) == Verdict(0, GENESIS, 0, None)


async def test_a_whole_log_is_whole_with_what_waits(env: Environment) -> None:
    with asking():
        member = await Member.create(name="Ada", secret="x", fee="1.10")
        await member.update(name='A "quoted" \\ näme \U0001f600\n\x01', fee="2.00")
    await write(env, 2 * BATCH)
    await close_waiting(env.db)
    await write(env, 3, prefix="later")

    verdict = await verify(env.db)

    stored = await env.db.fetchval("SELECT hash FROM audit_chain ORDER BY position DESC LIMIT 1")
    assert verdict == Verdict(2 * BATCH + 2, stored, 3, None)
    assert await chained(env) == list(range(1, 2 * BATCH + 3))


async def test_the_chain_is_the_documented_one(env: Environment) -> None:
    """Computed once more from the package's description, with nothing of the package."""
    with asking():
        await Member.create(name="Ada")
    await close_waiting(env.db)

    (row,) = await env.db.fetch(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS micros FROM audit_log"
    )
    text = (
        '{"action":"create","after":{"club_id":null,"fee":null,"id":1,"name":"Ada","secret":"[redacted]"},'
        f'"at":{row["micros"]},"before":null,"database_role":"{row["database_role"]}","details":null,"id":1,'
        '"model":"members","record_id":1,"request_id":"request-1","user_id":7}'
    )
    stored = await env.db.fetchval("SELECT hash FROM audit_chain WHERE position = 1")
    assert stored == hashlib.sha256(bytes(32) + text.encode()).digest()


async def test_a_tail_that_was_written_anew_is_seen_against_a_note(env: Environment) -> None:
    await written_and_closed(env, 5)
    whole = await verify(env.db)
    async with tampering(env) as connection:
        await connection.execute(
            "DELETE FROM audit_log WHERE id > 3; DELETE FROM audit_chain WHERE position > 3"
        )
    await written_and_closed(env, 5)

    assert (await verify(env.db)).is_whole
    found = (await verify(env.db, Note(whole.position, whole.hash))).first_break
    assert found is not None
    assert (found.kind, found.position) == ("rewritten", 5)
