"""Refreshing sessions, and ending those whose refresh token is shown once too often."""

import logging
from typing import Any, Final

from app.core.environment import Environment, current_environment
from app.core.errors import Unauthenticated
from services.audit.actions import record
from services.auth_token.actions.opened import SignedIn, signed_in
from services.auth_token.device import Device
from services.auth_token.refresh_tokens import RefreshSecret, new_refresh_secret, read_refresh_token
from services.auth_token.settings import AuthSettings
from services.security.actions import rights_changed
from services.users.actions import UserCard
from sql import statements

GRACE_SECONDS: Final = 10
"""How long after its first use a refresh token gives siblings: parallel tabs, and answers that were lost."""

MOST_TOKENS: Final = 100
"""Refresh tokens of one session. Each tab of a browser may hold one; more are taken from the oldest."""

_SQL = statements("auth_token/sessions")
_logger = logging.getLogger(__name__)


async def refresh_session(refresh_token: str, device: Device) -> SignedIn:
    """The same session with a new access token and a new refresh token; the given one is used up.

    Raises Unauthenticated when it is not a token of a session that is still honoured. When it was used
    before, and longer ago than the grace, the whole session ends, and the audit log says so.
    """
    presented = read_refresh_token(refresh_token)
    if presented is None:
        raise _not_refreshable()
    env = current_environment()
    idle_seconds = env.settings.section(AuthSettings).idle_ttl_seconds
    async with env.db.transaction():
        # The lock puts the refreshes of one session in a row; what they see of its tokens is read after it.
        rows = await env.db.run(_SQL["lock_family"], [presented.family, idle_seconds])
        if not rows or not rows[0]["is_live"]:
            raise _not_refreshable()
        session = rows[0]
        successor = await _rotate(env, session["id"], presented, device)
        if successor is None:
            # Not an error inside the block: it would roll back what it is about.
            await _end_replayed(env, session, device)
    if successor is None:
        raise _not_refreshable()
    card = UserCard(session["user_id"], session["login"], session["name"], session["is_admin"])
    return signed_in(env, session["id"], session["expires_at"], successor.text(), card)


async def _rotate(
    env: Environment, session_id: int, presented: RefreshSecret, device: Device
) -> RefreshSecret | None:
    """The token that follows on the one presented, or None when that was used before the grace began."""
    found = await env.db.run(_SQL["find_refresh_token"], [session_id, presented.digest, GRACE_SECONDS])
    if not found or not found[0]["is_good"]:
        return None
    successor = new_refresh_secret(presented.family)
    values = [session_id, found[0]["id"], successor.digest, GRACE_SECONDS, MOST_TOKENS - 1]
    await env.db.run(_SQL["rotate"], [*values, device.stored_address, device.stored_user_agent])
    return successor


async def _end_replayed(env: Environment, session: Any, device: Device) -> None:
    session_id, user_id = session["id"], session["user_id"]
    await env.db.run(_SQL["revoke"], [session_id, user_id])
    details = {"address": device.stored_address, "user_agent": device.stored_user_agent}
    await record("refresh_replayed", model="sessions", record_id=session_id, user_id=user_id, details=details)
    await rights_changed()
    _logger.warning(
        "a refresh token of user %s was shown again after its use: session %s is ended", user_id, session_id
    )


def _not_refreshable() -> Unauthenticated:
    return Unauthenticated("The refresh token is not valid any more: sign in again.")
