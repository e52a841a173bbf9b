"""What stands behind the verification of tokens, without a database."""

import asyncio
import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import msgspec

from orm.database import Database
from orm.errors import DatabaseUnavailable
from services.auth_token.access_tokens import AccessTokens
from services.auth_token.api_keys import KeySecret
from services.auth_token.settings import SigningKey
from services.auth_token.verification import Verifier

TOKENS = AccessTokens((SigningKey("1", b"k" * 32),), issuer="starling", audience="starling")
KEY = KeySecret("abcdefgh1234", "S" * 43)


class FakeRevisions:
    """Current until said otherwise."""

    def __init__(self) -> None:
        self.generation = 0
        self.current = True
        self.listeners: list[Callable[[], None]] = []

    def is_current(self) -> bool:
        """See Revisions."""
        return self.current

    def on_change(self, forget: Callable[[], None]) -> None:
        """See Revisions."""
        self.listeners.append(forget)

    def change(self) -> None:
        """Rights have changed."""
        self.generation += 1
        for forget in self.listeners:
            forget()


class FakeRoles:
    """Roles by id, each based on the one before it."""

    def __init__(self) -> None:
        self.codes = {1: "base_user", 2: "manager", 3: "director"}
        self.asked = 0

    def roles_of(self, direct_ids: Iterable[int]) -> tuple[frozenset[int], frozenset[str]]:
        """See Roles."""
        highest = max(direct_ids, default=0)
        ids = frozenset(role_id for role_id in self.codes if role_id <= highest)
        return ids, frozenset(self.codes[role_id] for role_id in ids)

    async def current(self) -> "FakeRoles":
        """The roles that hold now."""
        self.asked += 1
        return self


class FakeDatabase:
    """Knows the rows of sessions and keys by id. Statements end while `go_on` is set."""

    def __init__(self) -> None:
        self.sessions: dict[int, dict[str, Any]] = {number: user_row() for number in range(100)}
        self.keys: dict[int, dict[str, Any]] = {5: key_row()}
        self.asked = 0
        self.is_away = False
        self.batches: list[list[int]] = []
        self.written: list[list[Any]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """See Database."""
        self.asked += 1
        if self.is_away:
            raise DatabaseUnavailable("gone")
        if text.startswith("UPDATE"):
            self.written.append(list(values))
            rows: list[Any] = []
        else:
            known = self.keys if "api_keys" in text else self.sessions
            rows = (
                self._many(known, values[0]) if isinstance(values[0], list) else self._one(known, values[0])
            )
        await self.go_on.wait()
        return rows

    def _many(self, known: dict[int, dict[str, Any]], ids: list[int]) -> list[Any]:
        self.batches.append(ids)
        return [{**known[number], "id": number} for number in ids if number in known]

    def _one(self, known: dict[int, dict[str, Any]], wanted: int | str) -> list[Any]:
        return [
            {**row, "id": number}
            for number, row in known.items()
            if number == wanted or row.get("prefix") == wanted
        ]


def user_row(**changes: Any) -> dict[str, Any]:
    """What statements say of a user."""
    return {"user_id": 7, "login": "ada", "name": "Ada", "is_admin": False, "role_ids": [2], **changes}


def key_row(key: KeySecret = KEY, **changes: Any) -> dict[str, Any]:
    """The same of a key."""
    scopes: Iterable[str] = changes.pop("scopes", ("partners:read",))
    expires_at: datetime.datetime | None = changes.pop("expires_at", None)
    document = msgspec.json.encode(list(scopes)).decode()
    row = user_row(prefix=key.prefix, secret_hash=key.digest, scopes=document, **changes)
    return {**row, "expires_at": expires_at}


def verifier_on(db: FakeDatabase, roles: FakeRoles | None = None) -> Verifier:
    """A verifier that asks these."""
    return Verifier(cast(Database, db), TOKENS, (roles or FakeRoles()).current)
