"""Who is asking: the access session that the edge binds to a request, and who can verify a token.

An access session is what a token stands for. It is not a database session, and it lives as long as one
request or socket. Where nobody needs to be signed in, an `Anonymous` stands in its place.
"""

import math
import re
from collections.abc import Mapping
from contextvars import Token
from typing import Final, Protocol

import msgspec

from app.core.errors import Unauthenticated
from orm.access import OPERATIONS, Operation, System, bind_asker, current_asker, reset_asker
from orm.errors import AccessDenied

_SCOPE: Final = re.compile(rf"(?:\*|[A-Za-z0-9._~-]+):(?:\*|{'|'.join(OPERATIONS)})")


class AccessSession(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in user as verified: an immutable snapshot that every check of one request agrees on.

    `role_ids` and `role_codes` are all roles of the user, the inherited ones included.
    `session_id` is None where no row of the sessions table stands behind it (an API key, a script), and
    `key_id` is the API key that was shown instead, if any. `scopes` are what such a key narrows the user's
    rights to (see `scope_allows`), None everything; they bind administrators, too.
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
    key_id: int | None = None
    scopes: frozenset[str] | None = None


class Anonymous(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks on a public route: nobody, with no roles, and with the tables that the route names.

    `tables` maps a table to the operations that are allowed on it; a table that is not in it is closed.
    """

    tables: Mapping[str, frozenset[Operation]]

    @property
    def user_id(self) -> int:
        """0, which is nobody's id."""
        return 0


class Authenticator(Protocol):
    """Answers what a bearer token stands for. Implemented by services/auth_token; an environment has one."""

    def cached(self, token: str) -> AccessSession | None:
        """The session of a token that was verified before and is still honoured, at once; else None."""

    async def verify_access(self, token: str) -> AccessSession:
        """The session of a token. Raises Unauthenticated when it is malformed, forged, expired or revoked."""


def scope_allows(scopes: frozenset[str] | None, route: str, operation: Operation) -> bool:
    """Whether scopes let an operation on a route through; None, no scopes at all, lets everything.

    A scope reads `<route>:<operation>`, each of which may be `*`. An empty set lets nothing.
    """
    if scopes is None:
        return True
    return any(scope in scopes for scope in (f"{route}:{operation}", f"{route}:*", f"*:{operation}", "*:*"))


def is_scope(text: str) -> bool:
    """Whether a text is written as a scope. That its route exists is not asked."""
    return _SCOPE.fullmatch(text) is not None


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


def session_only() -> AccessSession:
    """Who asks, if he signed in himself: for what a key must not be enough for, as keys and passwords.

    Raises AccessDenied when an API key asks, Unauthenticated when nobody is signed in.
    """
    session = access_session()
    if session.key_id is not None:
        raise AccessDenied("An API key cannot do this: sign in with login and password.")
    return session
