"""Keeps what requests with an Idempotency-Key were answered, in the table `idempotency_keys`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import msgspec

from app.http.idempotency import Kept, in_flight
from orm.database import Database
from sql import statements

FORGOTTEN_AT_ONCE: Final = 10_000
"""Old answers that go in one hour at most by themselves; each one that is kept takes some more with it."""

_SQL: Final = statements("dotorm_crud_auto/idempotency")


class KeptAnswers:
    """See Keeper. `database` is asked for at each request: there is none yet when this is made.

    Who is at work under a key holds an advisory lock, which the end of its transaction gives back, also
    that of a process that died. Its number is a part of the digest: that two keys have the same is less
    likely than anything else that could go wrong.
    """

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """See Keeper."""
        return self._database().transaction()

    async def claim(self, digest: bytes) -> Kept | None:
        """See Keeper."""
        number = int.from_bytes(digest[:8], "big", signed=True)
        [(is_free, fingerprint, status, headers, body)] = await self._database().run(
            _SQL["claim"], [digest, number]
        )
        if fingerprint is not None:  # also while others are told the same
            return Kept(fingerprint, status, _raw(headers), body)
        if not is_free:
            raise in_flight()
        return None

    async def keep(self, digest: bytes, kept: Kept) -> bool:
        """See Keeper."""
        headers = [[part.decode("latin-1") for part in header] for header in kept.headers]
        text = msgspec.json.encode(headers).decode()
        rows = await self._database().run(
            _SQL["keep"], [digest, kept.fingerprint, kept.status, text, kept.body]
        )
        return bool(rows)

    async def forget_old_ones(self) -> None:
        """Remove answers that nobody can ask for any more."""
        await self._database().run(_SQL["forget"], [FORGOTTEN_AT_ONCE])


def _raw(headers: Any) -> list[tuple[bytes, bytes]]:
    pairs: list[tuple[str, str]] = msgspec.json.decode(headers, type=list[tuple[str, str]])
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
