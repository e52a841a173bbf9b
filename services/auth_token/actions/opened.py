"""What a client gets whose session was opened or refreshed."""

import datetime
from time import time

import msgspec

from app.core.environment import Environment
from services.auth_token.app import AuthTokenService
from services.auth_token.settings import AuthSettings
from services.users.actions import UserCard


class SignedIn(msgspec.Struct, frozen=True):
    """What a client gets when it signs in or refreshes. `expires_in` is in seconds, of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: UserCard
    token_type: str = "bearer"  # noqa: S105  # the name of a scheme


def signed_in(
    env: Environment, session_id: int, expires_at: datetime.datetime, refresh_token: str, card: UserCard
) -> SignedIn:
    """The answer for a session that ends at `expires_at`, with a new access token."""
    settings = env.settings.section(AuthSettings)
    now = time()
    # Not beyond the session, nor beyond the time after which it counts as idle.
    seconds = min(settings.access_ttl_seconds, settings.idle_ttl_seconds, expires_at.timestamp() - now)
    tokens = env.service(AuthTokenService).tokens
    access_token = tokens.issue(user_id=card.id, session_id=session_id, expires_at=now + seconds)
    return SignedIn(access_token, refresh_token, int(seconds), card)
