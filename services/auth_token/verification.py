"""What stands behind a token in the database now: its session or key, its user, and that user's roles."""

import datetime
import hmac
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from app.core.access import AccessSession
from app.core.errors import Unauthenticated
from orm.database import Database
from services.auth_token.access_tokens import AccessTokens
from services.auth_token.api_keys import MARK, read_api_key
from sql import statements

_NO_DIGEST: Final = bytes(32)

_SESSIONS = statements("auth_token/sessions")
_KEYS = statements("auth_token/api_keys")
_scopes = msgspec.json.Decoder(frozenset[str])


class Roles(Protocol):
    """Which roles come with which; services/security knows them."""

    def roles_of(self, direct_ids: Iterable[int]) -> tuple[frozenset[int], frozenset[str]]:
        """The ids and codes of roles and of all that they are based on."""


class Verifier:
    """Asks the database, once for each token or once for many that were verified before."""

    def __init__(
        self, db: Database, tokens: AccessTokens, current_roles: Callable[[], Awaitable[Roles]]
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._current_roles = current_roles

    async def verify(self, token: str) -> AccessSession:
        """The access session of a token or API key. Raises Unauthenticated.

        One statement, none when the token cannot be one of ours; what else it takes to know the roles.
        """
        if token.startswith(MARK):
            return await self._verify_key(token)
        claims = self._tokens.verify(token)
        rows = await self._db.run(_SESSIONS["verify"], [claims.session_id, claims.user_id])
        if not rows:
            raise Unauthenticated("This session is over: sign in again.")
        session = AccessSession(
            user_id=claims.user_id,
            session_id=claims.session_id,
            login="",
            name="",
            expires_at=claims.expires_at,
        )
        return _with_user(session, rows[0], await self._current_roles())

    async def _verify_key(self, token: str) -> AccessSession:
        key = read_api_key(token)
        if key is None:
            raise _no_key()
        rows = await self._db.run(_KEYS["verify"], [key.prefix])
        # An unknown prefix takes as long as a wrong secret.
        stored = rows[0]["secret_hash"] if rows else _NO_DIGEST
        if not hmac.compare_digest(stored, key.digest) or not rows:
            raise _no_key()
        row = rows[0]
        session = AccessSession(user_id=row["user_id"], key_id=row["id"], login="", name="")
        return _with_key(session, row, await self._current_roles())

    async def verify_again(self, known: Sequence[AccessSession]) -> list[AccessSession | None]:
        """The same sessions as they are now, None in the place of those that are not honoured any more.

        At most one statement for all sessions and one for all keys.
        """
        sessions = await self._rows(_SESSIONS, [one.session_id for one in known if one.key_id is None])
        keys = await self._rows(_KEYS, [one.key_id for one in known if one.key_id is not None])
        roles = await self._current_roles()
        found: list[AccessSession | None] = []
        for one in known:
            row = sessions.get(one.session_id) if one.key_id is None else keys.get(one.key_id)
            if row is None or row["user_id"] != one.user_id:
                found.append(None)
            else:
                found.append((_with_user if one.key_id is None else _with_key)(one, row, roles))
        return found

    async def _rows(self, topic: Any, ids: list[int | None]) -> dict[int | None, Any]:
        if not ids:
            return {}
        return {row["id"]: row for row in await self._db.run(topic["verify_again"], [ids])}


def _with_user(session: AccessSession, row: Any, roles: Roles) -> AccessSession:
    """The session with what a row says of its user now."""
    role_ids, role_codes = roles.roles_of(row["role_ids"])
    return msgspec.structs.replace(
        session,
        login=row["login"],
        name=row["name"],
        is_admin=row["is_admin"],
        role_ids=role_ids,
        role_codes=role_codes,
    )


def _with_key(session: AccessSession, row: Any, roles: Roles) -> AccessSession:
    """The same with what it says of the key."""
    expires_at: datetime.datetime | None = row["expires_at"]
    return msgspec.structs.replace(
        _with_user(session, row, roles),
        scopes=_scopes.decode(row["scopes"]),
        expires_at=math.inf if expires_at is None else expires_at.timestamp(),
    )


def _no_key() -> Unauthenticated:
    return Unauthenticated("The API key is not valid.")
