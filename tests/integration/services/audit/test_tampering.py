"""What a walk of the chain says of a log that somebody was at, with triggers off as only a superuser can."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio

from app.core.environment import Environment
from orm.errors import Conflict
from services.audit.chain import BATCH, GENESIS, links_after
from services.audit.verify import Note, Verdict, verify
from tests.integration.services.audit.world import club, written_and_closed
from tests.support.databases import fresh_schema

LAST = BATCH + 20
"""Links of the chain that is tampered with: more than one look takes in."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chain(run_database_url: str) -> AsyncIterator[Environment]:
    """A log with LAST entries, all chained and none waiting: position and id are the same."""
    async with fresh_schema(run_database_url) as url, club(url) as env:
        await written_and_closed(env, LAST)
        yield env


class _Undone(Exception):
    pass


@asynccontextmanager
async def undone(env: Environment) -> AsyncIterator[None]:
    """A block in which no trigger fires, and which leaves nothing behind."""
    with suppress(_Undone):
        async with env.db.transaction():
            await env.db.execute("SET LOCAL session_replication_role = replica")
            yield
            raise _Undone


async def tampered(env: Environment, *statements: str, note: Note | None = None) -> Verdict:
    """What the walk says after those statements."""
    async with undone(env):
        for statement in statements:
            await env.db.execute(statement)
        return await verify(env.db, note)
    raise AssertionError("unreachable")


def broken(verdict: Verdict) -> tuple[str, int | None, int | None]:
    assert verdict.first_break is not None
    return verdict.first_break.kind, verdict.first_break.position, verdict.first_break.entry_id


@pytest.mark.parametrize("entry_id", [1, 3, LAST])
@pytest.mark.parametrize(
    "change",
    [
        "action = 'x'",
        "at = at + interval '1 microsecond'",
        "at = 'infinity'",
        "at = '294276-12-31'",
        "user_id = 8",
        "request_id = ''",
        "database_role = 'x'",
        "model = 'x'",
        "record_id = 0",
        "before = '{}'",
        """after = '{"id": 1}'""",
        "details = '[]'",
    ],
)
async def test_a_changed_entry_is_found(chain: Environment, change: str, entry_id: int) -> None:
    verdict = await tampered(chain, f"UPDATE audit_log SET {change} WHERE id = {entry_id}")

    assert broken(verdict) == ("changed", entry_id, entry_id)
    assert verdict.position == entry_id - 1


async def test_a_changed_hash_is_found_where_it_stands(chain: Environment) -> None:
    verdict = await tampered(chain, "UPDATE audit_chain SET hash = sha256('x') WHERE position = 3")

    assert broken(verdict) == ("changed", 3, 3)
    assert verdict.first_break is not None
    assert "the hash at position 3" in verdict.first_break.sentence


async def test_a_link_that_names_another_entry_is_found(chain: Environment) -> None:
    verdict = await tampered(
        chain,
        "INSERT INTO audit_log (id, at, database_role, action) VALUES (999, now(), 'x', 'forged')",
        "UPDATE audit_chain SET entry_id = 999 WHERE position = 3",
    )

    assert broken(verdict) == ("changed", 3, 999)
    assert verdict.first_break is not None
    assert "made for entry 3" in verdict.first_break.sentence


@pytest.mark.parametrize("entry_id", [1, 3, LAST])
async def test_a_removed_entry_is_found(chain: Environment, entry_id: int) -> None:
    verdict = await tampered(chain, f"DELETE FROM audit_log WHERE id = {entry_id}")

    assert broken(verdict) == ("removed", entry_id, entry_id)


@pytest.mark.parametrize("position", [1, 3, LAST - 1])
async def test_a_removed_link_is_found(chain: Environment, position: int) -> None:
    verdict = await tampered(chain, f"DELETE FROM audit_chain WHERE position = {position}")

    assert broken(verdict) == ("removed", position, None)


async def test_several_links_removed_in_a_row_are_named(chain: Environment) -> None:
    verdict = await tampered(chain, "DELETE FROM audit_chain WHERE position IN (2, 3, 4)")

    assert verdict.first_break is not None
    assert verdict.first_break.sentence == "the links at positions 2 to 4 were removed from the chain"


async def test_a_removed_link_is_found_when_the_rest_moved_up(chain: Environment) -> None:
    verdict = await tampered(
        chain,
        "DELETE FROM audit_chain WHERE position = 3",
        "UPDATE audit_chain SET position = position - 1 + 1000 WHERE position > 3",
        "UPDATE audit_chain SET position = position - 1000 WHERE position > 1000",
    )

    assert broken(verdict) == ("removed", 3, 3)


async def test_an_entry_removed_with_its_link_is_found_when_the_rest_moved_up(chain: Environment) -> None:
    verdict = await tampered(
        chain,
        "DELETE FROM audit_log WHERE id = 3",
        "DELETE FROM audit_chain WHERE position = 3",
        "UPDATE audit_chain SET position = position - 1 + 1000 WHERE position > 3",
        "UPDATE audit_chain SET position = position - 1000 WHERE position > 1000",
    )

    assert broken(verdict) == ("changed", 3, 4)
    assert verdict.first_break is not None
    assert "or a link and its entry before it were removed" in verdict.first_break.sentence


@pytest.mark.parametrize("other", [3, 5, LAST - 10])
async def test_two_entries_that_changed_places_are_found(chain: Environment, other: int) -> None:
    verdict = await tampered(
        chain,
        "UPDATE audit_chain SET entry_id = 0 WHERE position = 2",
        f"UPDATE audit_chain SET entry_id = 2 WHERE position = {other}",
        f"UPDATE audit_chain SET entry_id = {other} WHERE position = 2",
    )

    assert broken(verdict) == ("reordered", 2, other)
    assert verdict.first_break is not None
    assert f"positions 2 and {other}" in verdict.first_break.sentence


@pytest.mark.parametrize("other", [3, 5, LAST - 10])
async def test_two_links_that_changed_places_are_found(chain: Environment, other: int) -> None:
    verdict = await tampered(
        chain,
        "UPDATE audit_chain SET position = 0 WHERE position = 2",
        f"UPDATE audit_chain SET position = 2 WHERE position = {other}",
        f"UPDATE audit_chain SET position = {other} WHERE position = 0",
    )

    assert broken(verdict) == ("reordered", 2, other)


@pytest.mark.parametrize("is_computed", [True, False], ids=["with the right hash", "with any hash"])
@pytest.mark.parametrize("position", [1, 3, LAST])
async def test_an_inserted_link_is_found(chain: Environment, position: int, is_computed: bool) -> None:
    before = await links_after(chain.db, position - 2, 1) if position > 1 else []
    previous = before[0].hash if before else GENESIS
    async with undone(chain):
        for statement in (
            f"UPDATE audit_chain SET position = position + 1000 WHERE position >= {position}",
            f"UPDATE audit_chain SET position = position - 999 WHERE position >= {position}",
            "INSERT INTO audit_log (id, at, database_role, action) VALUES (999, now(), 'x', 'forged')",
            f"INSERT INTO audit_chain VALUES ({position}, 999, sha256('x'))",
        ):
            await chain.db.execute(statement)
        forged = (await links_after(chain.db, position - 1, 1))[0].entry
        assert forged is not None
        if is_computed:
            digest = hashlib.sha256(previous + forged).digest()
            await chain.db.fetch("UPDATE audit_chain SET hash = $1 WHERE position = $2", digest, position)
        verdict = await verify(chain.db)

    assert broken(verdict) == ("inserted", position, 999)


async def test_a_link_before_the_first_is_found(chain: Environment) -> None:
    verdict = await tampered(chain, "INSERT INTO audit_chain VALUES (-5, 999, sha256('x'))")

    assert broken(verdict) == ("inserted", -5, 999)


async def test_an_entry_that_was_written_past_the_triggers_is_found(chain: Environment) -> None:
    verdict = await tampered(
        chain, "INSERT INTO audit_log (id, at, database_role, action) VALUES (999, now(), 'x', 'forged')"
    )

    assert broken(verdict) == ("unchained", None, 999)
    assert verdict.position == LAST


async def test_a_last_link_that_was_removed_alone_is_found(chain: Environment) -> None:
    verdict = await tampered(chain, f"DELETE FROM audit_chain WHERE position = {LAST}")

    assert broken(verdict) == ("unchained", None, LAST)


async def test_an_entry_that_was_removed_while_it_waited_is_found(chain: Environment) -> None:
    verdict = await tampered(chain, "INSERT INTO audit_waiting VALUES (999)")

    assert broken(verdict) == ("removed", None, 999)
    assert verdict.waiting == 1


async def test_a_tail_that_was_cut_off_is_seen_against_a_note(chain: Environment) -> None:
    whole = await verify(chain.db)
    note = Note(whole.position, whole.hash)
    cut = ("DELETE FROM audit_log WHERE id > 3", "DELETE FROM audit_chain WHERE position > 3")

    assert (await tampered(chain, *cut)).is_whole  # nothing in the database says otherwise
    assert broken(await tampered(chain, *cut, note=note)) == ("cut", 4, None)


async def test_a_note_holds_while_the_log_grows(chain: Environment) -> None:
    note = Note(3, (await links_after(chain.db, 2, 1))[0].hash)

    assert (await verify(chain.db, note)).is_whole
    assert broken(await verify(chain.db, Note(3, GENESIS))) == ("rewritten", 3, None)


async def test_a_database_without_a_log_is_no_whole_log(chain: Environment) -> None:
    async with undone(chain):
        await chain.db.execute("DROP TABLE audit_waiting")
        with pytest.raises(Conflict, match="this database has no audit log"):
            await verify(chain.db)


async def test_what_the_session_has_set_does_not_matter(chain: Environment) -> None:
    verdict = await tampered(
        chain,
        "SET LOCAL timezone = 'Asia/Kathmandu'; SET LOCAL datestyle = 'German'; "
        "SET LOCAL extra_float_digits = 0; SET LOCAL bytea_output = 'escape'",
    )

    assert verdict == await verify(chain.db)
    assert verdict.is_whole
