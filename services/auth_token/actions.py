"""Opening, refreshing and ending sessions."""

import datetime
import logging
import uuid
from time import time
from typing import Any, Final

import msgspec

from app.core.access import AccessSession
from app.core.environment import Environment, current_environment
from app.core.errors import Unauthenticated
from orm.errors import ForeignKeyViolation, RecordNotFound
from services.auth_token.app import AuthTokenService
from services.auth_token.refresh_tokens import new_refresh_secret, read_refresh_token
from services.auth_token.settings import AuthSettings
from services.security.actions import rights_changed
from services.users import actions as users
from services.users.actions import UserCard
from sql import statements

GRACE_SECONDS: Final = 10
"""How long after its first use a refresh token gives siblings: parallel tabs, and answers that were lost."""

MOST_TOKENS: Final = 100
"""Refresh tokens of one session. Each tab of a browser may hold one; more are taken from the oldest."""

MOST_LISTED: Final = 500

_LONGEST_USER_AGENT: Final = 255
_LONGEST_ADDRESS: Final = 64

_SQL = statements("auth_token/sessions")
_logger = logging.getLogger(__name__)


class Device(msgspec.Struct, frozen=True):
    """Where a sign-in or refresh comes from, as the request says."""

    address: str | None
    user_agent: str | None


class SignedIn(msgspec.Struct, frozen=True):
    """What a client gets when it signs in or refreshes. `expires_in` is in seconds, of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: UserCard
    token_type: str = "bearer"  # noqa: S105  # the name of a scheme


class SessionCard(msgspec.Struct, frozen=True):
    """One of the user's own sessions. `current` is the one that asks."""

    id: int
    created_at: datetime.datetime
    last_seen_at: datetime.datetime
    address: str | None
    user_agent: str | None
    current: bool


async def sign_in(login: str, password: str, device: Device) -> SignedIn:
    """A new session of the user with that login and password.

    Raises Unauthenticated in the same words and after the same time for an unknown login, a wrong password
    and a user who is disabled; Unavailable when too many sign in at once.
    """
    verified = await users.verify_credentials(login, password)
    if verified is None:
        raise _not_signed_in()
    env = current_environment()
    settings = env.settings.section(AuthSettings)
    refresh = new_refresh_secret(uuid.uuid4())
    # Should the credentials have changed since they were verified, the session is over as soon as it is open.
    values = [
        verified.card.id,
        verified.credentials_version,
        refresh.family,
        *_shortened(device),
        settings.refresh_ttl_seconds,
        refresh.digest,
    ]
    try:
        ((session_id, expires_at),) = await env.db.run(_SQL["open"], values)
    except ForeignKeyViolation:  # the user was removed meanwhile
        raise _not_signed_in() from None
    return _signed_in(env, session_id, expires_at, refresh.text(), verified.card)


async def refresh_session(refresh_token: str, device: Device) -> SignedIn:
    """The same session with a new access token and a new refresh token; the given one is used up.

    Raises Unauthenticated when it is not a token of a session that is still honoured. When it was used
    before, and longer ago than the grace, the whole session ends.
    """
    presented = read_refresh_token(refresh_token)
    if presented is None:
        raise _not_refreshable()
    env = current_environment()
    settings = env.settings.section(AuthSettings)
    async with env.db.transaction():
        # The lock puts the refreshes of one session in a row; what they see of its tokens is read after it.
        rows = await env.db.run(_SQL["lock_family"], [presented.family, settings.idle_ttl_seconds])
        if not rows or not rows[0]["is_live"]:
            raise _not_refreshable()
        session = rows[0]
        found = await env.db.run(_SQL["find_refresh_token"], [session["id"], presented.digest, GRACE_SECONDS])
        is_good = bool(found) and found[0]["is_good"]
        if is_good:
            successor = new_refresh_secret(presented.family)
            values = [session["id"], found[0]["id"], successor.digest, GRACE_SECONDS, MOST_TOKENS - 1]
            await env.db.run(_SQL["rotate"], [*values, *_shortened(device)])
        else:
            # Outside of the block this error would roll back what it is about.
            await _revoke(env, "revoke", [session["id"], session["user_id"]])
    if not is_good:
        _logger.warning(
            "a refresh token of user %s was shown again after its use: session %s is ended",
            session["user_id"],
            session["id"],
        )
        raise _not_refreshable()
    card = UserCard(session["user_id"], session["login"], session["name"], session["is_admin"])
    return _signed_in(env, session["id"], session["expires_at"], successor.text(), card)


async def sign_out(asker: AccessSession) -> None:
    """The session that asks is over. An asker without one (an API key) has nothing to sign out of."""
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


async def change_password(asker: AccessSession, old: str, new: str) -> None:
    """The asker has a new password, and no session but the one that asks.

    Raises ValidationError, with pointer /old or /new, Conflict, Unavailable.
    """
    change = await users.prepare_password_change(asker.user_id, old, new)
    env = current_environment()
    async with env.db.transaction():
        version = await users.apply_password_change(change)
        if asker.session_id is not None:
            await env.db.run(_SQL["carry_over"], [asker.session_id, version])
        await rights_changed()


async def _revoke(env: Environment, statement: str, values: list[Any]) -> bool:
    """Whether there was anything to end; if so, every process hears of it when the transaction commits."""
    rows = await env.db.run(_SQL[statement], values)
    if rows:
        await rights_changed()
    return bool(rows)


def _signed_in(
    env: Environment, session_id: int, expires_at: datetime.datetime, refresh_token: str, card: UserCard
) -> SignedIn:
    settings = env.settings.section(AuthSettings)
    now = time()
    # Not beyond the session, nor beyond the time after which it counts as idle.
    seconds = min(settings.access_ttl_seconds, settings.idle_ttl_seconds, expires_at.timestamp() - now)
    tokens = env.service(AuthTokenService).tokens
    access_token = tokens.issue(user_id=card.id, session_id=session_id, expires_at=now + seconds)
    return SignedIn(access_token, refresh_token, int(seconds), card)


def _shortened(device: Device) -> tuple[str | None, str | None]:
    address, user_agent = device.address, device.user_agent
    return (
        address[:_LONGEST_ADDRESS] if address else None,
        user_agent[:_LONGEST_USER_AGENT] if user_agent else None,
    )


def _not_signed_in() -> Unauthenticated:
    return Unauthenticated("The login or the password is wrong.")


def _not_refreshable() -> Unauthenticated:
    return Unauthenticated("The refresh token is not valid any more: sign in again.")
