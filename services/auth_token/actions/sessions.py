"""One's own sessions: where one is signed in, and ending that."""

import datetime
from typing import Any, Final

import msgspec

from app.core.access import AccessSession
from app.core.environment import Environment, current_environment
from orm.errors import RecordNotFound
from services.auth_token.settings import AuthSettings
from services.security.actions import rights_changed
from sql import statements

MOST_LISTED: Final = 500

_SQL = statements("auth_token/sessions")


class SessionCard(msgspec.Struct, frozen=True):
    """One of the user's own sessions. `current` is the one that asks."""

    id: int
    created_at: datetime.datetime
    last_seen_at: datetime.datetime
    address: str | None
    user_agent: str | None
    current: bool


async def sign_out(asker: AccessSession) -> None:
    """The session that asks is over. An asker without one (a script) has nothing to sign out of."""
    if asker.session_id is not None:
        env = current_environment()
        async with env.db.transaction():
            await _revoke(env, "revoke", [asker.session_id, asker.user_id])


async def own_sessions(asker: AccessSession) -> list[SessionCard]:
    """The asker's sessions that are still honoured, the one seen last first, at most 500."""
    env = current_environment()
    idle_seconds = env.settings.section(AuthSettings).idle_ttl_seconds
    rows = await env.db.run(_SQL["live"], [asker.user_id, idle_seconds, MOST_LISTED])
    return [SessionCard(**row, current=row["id"] == asker.session_id) for row in rows]


async def end_session(asker: AccessSession, session_id: int) -> None:
    """One of the asker's own sessions is over. Raises RecordNotFound when he has none with that id."""
    env = current_environment()
    async with env.db.transaction():
        if not await _revoke(env, "revoke", [session_id, asker.user_id]):
            raise RecordNotFound(f"You have no session {session_id}.")


async def end_all_sessions(asker: AccessSession, *, keep_current: bool) -> None:
    """All of the asker's sessions are over, the one that asks included unless it is kept."""
    env = current_environment()
    kept = asker.session_id if keep_current else None
    async with env.db.transaction():
        await _revoke(env, "revoke_all", [asker.user_id, kept or 0])


async def _revoke(env: Environment, statement: str, values: list[Any]) -> bool:
    """Whether there was anything to end; if so, every process hears of it when the transaction commits."""
    rows = await env.db.run(_SQL[statement], values)
    if rows:
        await rights_changed()
    return bool(rows)
