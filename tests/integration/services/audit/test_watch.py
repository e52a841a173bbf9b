"""Which tables have the triggers, as the models change."""

from typing import Any

import asyncpg
import pytest

from app.core.environment import Environment
from app.core.models import ModelsCore
from orm import Char, DotModel, Many2many, Text
from services.audit.models import AuditEntry
from tests.integration.services.audit.world import Club, Member, Team, club, entries, routines
from tests.support.databases import fresh_schema


class Unwatched(DotModel):
    """Members, no longer audited."""

    __table__ = "members"
    name: str = Char(required=True, unique=True)
    secret: str | None = Text()
    teams: list[Team] = Many2many("teams", table="member_teams", column1="member_id", column2="team_id")


class Guarded(DotModel):
    """Members, whose name is private now, too, and who have no teams any more."""

    __table__ = "members"
    __audit__ = True
    name: str = Char(required=True, unique=True, private=True)
    secret: str | None = Text(private=True)


class LonelyTeam(DotModel):
    """A team that knows of no members."""

    __table__ = "teams"
    name: str = Char(required=True)


class UnwatchedModels(ModelsCore):
    """After somebody took `__audit__` away."""

    member = Unwatched
    audit_entry = AuditEntry
    team = LonelyTeam


class GuardedModels(ModelsCore):
    """After somebody changed what is private."""

    member = Guarded
    audit_entry = AuditEntry
    team = LonelyTeam


async def triggers(env: Environment) -> dict[tuple[str, str], tuple[int, str]]:
    """Oid and arguments by table and name."""
    rows = await env.db.fetch(
        "SELECT c.relname, t.tgname, t.oid, encode(t.tgargs, 'escape') FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND t.tgname LIKE 'audit%'"
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def test_every_audited_table_and_its_links_are_watched(env: Environment) -> None:
    found = await triggers(env)

    assert {key: arguments for key, (_, arguments) in found.items()} == {
        ("audit_chain", "audit_refuse"): "",
        ("audit_log", "audit_enqueue"): "",
        ("audit_log", "audit_refuse"): "",
        ("audit_log", "audit_stamp"): "",
        ("member_teams", "audit_row"): "",
        ("member_teams", "audit_truncate"): "",
        ("members", "audit_row"): "secret\\000",
        ("members", "audit_truncate"): "",
    }


async def test_making_the_routines_again_locks_and_changes_nothing(env: Environment) -> None:
    before = await triggers(env)
    reader = await env.db.connect()
    try:
        await reader.execute(
            "BEGIN; LOCK TABLE members, member_teams, audit_log, audit_chain IN ROW EXCLUSIVE MODE"
        )
        await env.db.execute("SET statement_timeout = '5s'")
        async with env.db.transaction():
            for text in routines(env).values():
                await env.db.execute(text)
    finally:
        await reader.close()

    assert await triggers(env) == before


async def test_a_model_that_is_not_audited_any_more_is_not_watched(
    env: Environment, database_url: str
) -> None:
    async with club(database_url, models=UnwatchedModels) as later:
        assert {table for table, _ in await triggers(later)} == {"audit_log", "audit_chain"}
        await Unwatched.create(name="Ada")
        assert await entries(later) == []

    async with club(database_url) as again:
        await Member.create(name="Bo")
        assert len(await entries(again)) == 1


async def test_what_is_private_follows_the_model(env: Environment, database_url: str) -> None:
    async with club(database_url, models=GuardedModels) as later:
        found = await triggers(later)
        assert found["members", "audit_row"][1] == "name\\000secret\\000"
        assert ("member_teams", "audit_row") not in found
        await Guarded.create(name="Ada")
        (entry,) = await entries(later)
        assert entry["after"]["name"] == "[redacted]"


async def test_a_trigger_that_was_switched_off_is_back_when_the_schema_was_looked_at(
    env: Environment,
) -> None:
    await env.db.execute(
        "ALTER TABLE members DISABLE TRIGGER audit_row; ALTER TABLE audit_log DISABLE TRIGGER ALL"
    )
    await Member.create(name="Ada")
    assert await entries(env) == []

    async with env.db.transaction():
        for text in routines(env).values():
            await env.db.execute(text)
    await Member.create(name="Bo")

    assert len(await entries(env)) == 1
    with pytest.raises(asyncpg.PostgresError, match="is refused"):
        await env.db.execute("DELETE FROM audit_log")


async def test_schemas_of_one_database_do_not_know_of_each_other(
    env: Environment, run_database_url: str
) -> None:
    before: dict[Any, Any] = await triggers(env)
    async with fresh_schema(run_database_url) as url, club(url, models=UnwatchedModels) as other:
        await Unwatched.create(name="Ada")
        assert await entries(other) == []

    assert await triggers(env) == before
    assert await Club.search_count() == 0
