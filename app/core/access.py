"""Who is asking: the access session that the edge binds to a request, and who can verify a token.


An access session is what a token stands for. It is not a database session, and it lives as long as one
request or socket.
"""

import math
from contextvars import Token
from typing import Protocol

import msgspec

from app.core.errors import Unauthenticated
from orm.access import System, bind_asker, current_asker, reset_asker


class AccessSession(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in user as verified: an immutable snapshot that every check of one request agrees on.

    `session_id` is None where no row of the sessions table stands behind it (an API key, a script).
    `expires_at` is in Unix seconds, `math.inf` when it never does.
    """

    user_id: int
    session_id: int | None = None
    login: str
    name: str
    is_admin: bool = False
    role_ids: frozenset[int] = frozenset()
    role_codes: frozenset[str] = frozenset()
    expires_at: float = math.inf


class Authenticator(Protocol):
    """Answers what a bearer token stands for. Implemented by services/auth_token; an environment has one."""

    def cached(self, token: str) -> AccessSession | None:
        """The session of a token that was verified before and is still honoured, at once; else None."""

    async def verify_access(self, token: str) -> AccessSession:
        """The session of a token. Raises Unauthenticated when it is malformed, forged, expired or revoked."""


def set_access_session(session: AccessSession | None) -> Token[object | None]:
    """Bind the asker of this context; give the token to `reset_access_session` when done."""
    return bind_asker(session)


def reset_access_session(token: Token[object | None]) -> None:
    """Put back whoever was asking before."""
    reset_asker(token)


def access_session() -> AccessSession:
    """Who asks in this context, also inside `system()`. Raises Unauthenticated when nobody is signed in."""
    session = access_session_or_none()
    if session is None:
        raise Unauthenticated("Sign in first: this needs a bearer token.")
    return session


def access_session_or_none() -> AccessSession | None:
    """Who asks in this context, also inside `system()`, or None when nobody is signed in."""
    asker = current_asker()
    if isinstance(asker, System):
        asker = asker.behalf
    return asker if isinstance(asker, AccessSession) else None
