"""Audited models on an empty database, without a closer: tests close the chain when they want to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal as Money
from typing import Any

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.environment import Environment
from app.core.models import ModelsCore
from app.core.request_context import request_id
from app.core.service import AppsCore
from app.project_setup import Settings
from orm import Char, Database, Decimal, DotModel, Many2many, Many2one, One2many, Ref, Text
from orm.schema.apply import bring_up
from services.audit.chain import close_waiting
from services.audit.models import AuditEntry
from services.dotorm_databases_postgres.settings import DatabaseSettings

CANARY = "canary-7f3a91"
ADA = AccessSession(user_id=7, login="ada", name="Ada", is_admin=True)


class Member(DotModel):
    """Has every kind of thing that is logged."""

    __table__ = "members"
    __audit__ = True
    name: str = Char(required=True, unique=True)
    secret: str | None = Text(private=True)
    fee: Money | None = Decimal(12, 2)
    club_id: Ref["Club"] | None = Many2one("clubs", ondelete="cascade")
    teams: list["Team"] = Many2many("teams", table="member_teams", column1="member_id", column2="team_id")


class Club(DotModel):
    """Is not logged itself; its members go with it."""

    __table__ = "clubs"
    name: str = Char(required=True)
    members: list[Member] = One2many("members", "club_id")


class Team(DotModel):
    """Is not logged itself; its links to members are."""

    __table__ = "teams"
    name: str = Char(required=True)
    members: list[Member] = Many2many("members", table="member_teams", column1="team_id", column2="member_id")


class ClubModels(ModelsCore):
    """The tables of the club."""

    member = Member
    club = Club
    team = Team
    audit_entry = AuditEntry


class ClubApps(AppsCore):
    """The least that a log needs."""

    installed = ("services.logger", "services.dotorm_databases_postgres", "services.audit")
    services_before = ("logger", "dotorm_databases_postgres", "audit")


@asynccontextmanager
async def club(
    database_url: str, *, models: type[ModelsCore] = ClubModels, **options: Any
) -> AsyncIterator[Environment]:
    """An environment whose services are not started, on its database, bound to this context."""
    env = Environment(Settings(database=DatabaseSettings(url=database_url)), models, ClubApps)
    await env.setup_services()
    db = Database(database_url, **options)
    db.registry = env.registry
    await db.open()
    try:
        await bring_up(db, env.registry, routines(env))
        env.db = db
        with env.bind():
            yield env
    finally:
        await db.close()


def routines(env: Environment) -> dict[str, str]:
    """Of all modules, as the database service makes them."""
    return {name: text for module in env.apps for name, text in module.routines().items()}


@contextmanager
def asking(session: AccessSession | None = ADA, request: str | None = "request-1") -> Iterator[None]:
    """Inside the block somebody asks, in a request."""
    asker, current = set_access_session(session), request_id.set(request)
    try:
        yield
    finally:
        request_id.reset(current)
        reset_access_session(asker)


async def entries(env: Environment) -> list[dict[str, Any]]:
    """The log, oldest first; documents decoded."""
    return [entry.as_dict() for entry in await AuditEntry.search(order="id")]


async def write(env: Environment, count: int, *, prefix: str = "event") -> None:
    """So many entries, each in a transaction of its own."""
    for number in range(count):
        await env.db.fetch("INSERT INTO audit_log (action) VALUES ($1)", f"{prefix} {number}")


async def chained(env: Environment) -> list[int]:
    """The ids of the entries in the chain, in its order."""
    return [row[0] for row in await env.db.fetch("SELECT entry_id FROM audit_chain ORDER BY position")]


async def until_chained(env: Environment, count: int) -> None:
    """Return when so many entries are in the chain."""
    async with asyncio.timeout(10):
        while len(await chained(env)) < count:  # noqa: ASYNC110  # the database has no event for it
            await asyncio.sleep(0.002)


async def written_and_closed(env: Environment, count: int) -> None:
    """So many entries, all of them in the chain."""
    await write(env, count)
    assert await close_waiting(env.db) == count


@asynccontextmanager
async def tampering(env: Environment) -> AsyncIterator[Any]:
    """A connection on which no trigger fires, as only a superuser can have one."""
    connection = await env.db.connect()
    try:
        await connection.execute("SET session_replication_role = replica")
        yield connection
    finally:
        await connection.close()
