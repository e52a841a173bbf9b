"""One's own API keys."""

import contextlib
import datetime
from collections.abc import Sequence
from typing import Final

import msgspec

from app.core.access import AccessSession
from app.core.environment import current_environment
from orm.errors import Conflict, Place, RecordNotFound, ValidationError
from services.audit.actions import record
from services.auth_token.api_keys import new_api_key
from services.auth_token.app import AuthTokenService
from services.auth_token.scopes import EVERYTHING, WHOLE, scope_places
from services.security.actions import rights_changed
from sql import statements

MOST_KEYS: Final = 100
"""Keys that one user may have at a time."""

_SQL = statements("auth_token/api_keys")
_scopes = msgspec.json.Decoder(list[str])


class ApiKeyCard(msgspec.Struct, frozen=True):
    """One of the user's own API keys. `key` is the key itself, only in the answer that makes it."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime.datetime
    expires_at: datetime.datetime | None
    last_used_at: datetime.datetime | None
    key: str | msgspec.UnsetType = msgspec.UNSET


async def create_api_key(
    asker: AccessSession, name: str, scopes: Sequence[str], expires_at: datetime.datetime | None
) -> ApiKeyCard:
    """A new key that may do what the asker may, as far as its scopes go. Its card has the key itself.

    Raises ValidationError with pointers for a name that cannot be seen, scopes that are none, or a time that
    is over; Conflict when he has 100 keys already.
    """
    env = current_environment()
    db = env.db
    expires_at = _checked(name, scopes, expires_at, env.service(AuthTokenService).route_names)
    secret = new_api_key()
    kept = sorted({WHOLE if scope == EVERYTHING else scope for scope in scopes})
    async with db.transaction():
        await db.run(_SQL["lock_owner"], [asker.user_id])  # else two at a time could both be the hundredth
        document = msgspec.json.encode(kept).decode()
        values = [asker.user_id, name, secret.prefix, secret.digest, document, expires_at, MOST_KEYS]
        rows = await db.run(_SQL["open"], values)
        if not rows:
            raise Conflict(f"You have {MOST_KEYS} API keys: remove one that is not needed any more.")
        key_id, created_at = rows[0]
        details = {"name": name, "prefix": secret.prefix, "scopes": kept, "expires_at": expires_at}
        await record("api_key_created", model="api_keys", record_id=key_id, details=details)
    return ApiKeyCard(
        key_id, name, secret.prefix, kept, created_at, expires_at, last_used_at=None, key=secret.text()
    )


async def own_api_keys(asker: AccessSession) -> list[ApiKeyCard]:
    """The asker's keys that are still honoured, the newest first."""
    rows = await current_environment().db.run(_SQL["live"], [asker.user_id])
    return [ApiKeyCard(**{**row, "scopes": _scopes.decode(row["scopes"])}) for row in rows]


async def revoke_api_key(asker: AccessSession, key_id: int) -> None:
    """One of the asker's own keys is over. Raises RecordNotFound when he has none with that id."""
    db = current_environment().db
    async with db.transaction():
        rows = await db.run(_SQL["revoke"], [key_id, asker.user_id])
        if not rows:
            raise RecordNotFound(f"You have no API key {key_id}.")
        details = {"prefix": rows[0]["prefix"]}
        await record("api_key_removed", model="api_keys", record_id=key_id, details=details)
        await rights_changed()


def _checked(
    name: str, scopes: Sequence[str], expires_at: datetime.datetime | None, routes: frozenset[str]
) -> datetime.datetime | None:
    """The end of the key in UTC. Raises ValidationError for whatever a key cannot have."""
    places = list(scope_places(scopes, routes))
    if not name.isprintable():
        places.append(Place("/name", "invalid", "A name has no characters that cannot be seen."))
    if expires_at is not None:
        with contextlib.suppress(OverflowError):  # beyond the first and the last year, it stays as it is
            expires_at = expires_at.astimezone(datetime.UTC)
        if expires_at.year >= datetime.MAXYEAR or expires_at <= datetime.datetime.now(datetime.UTC):
            sentence = "A key expires in the future, within the next thousands of years, or never."
            places.append(Place("/expires_at", "invalid", sentence))
    if places:
        raise ValidationError(places[0].message, errors=places)
    return expires_at
