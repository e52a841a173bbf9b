"""The rights of a process: one snapshot, read again when rights have changed."""

import asyncio
import math
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from orm.database import Database
from services.security.rights import Rights, read_rights, read_rights_revision


class Revisions(Protocol):
    """By which the keeper knows that its snapshot holds; services/security/revisions.py has them."""

    rights: int
    """The revision of rights that was read last."""

    def is_current(self) -> bool:
        """Whether that revision still holds."""


class RightsKeeper:
    """Has the snapshot that holds now, and hands every new one to `use`.

    Asking costs nothing while the revision holds, else one statement, or two when rights did change. Whoever
    waits for them together shares the next ones.
    """

    def __init__(self, db: Database, revisions: Revisions, use: Callable[[Rights], None]) -> None:
        self._db = db
        self._revisions = revisions
        self._use = use
        self._rights: Rights | None = None
        self._asked_at = -math.inf
        self._reading = asyncio.Lock()

    async def current(self) -> Rights:
        """The rights as they are now, or were at most a second ago. Raises DatabaseUnavailable and the
        like."""
        if self._rights is not None and self._holds(self._rights):
            return self._rights
        arrived_at = monotonic()
        async with self._reading:
            # What was asked for after the arrival is as good as asking again.
            if self._rights is None or not (self._asked_at >= arrived_at or self._holds(self._rights)):
                await self._read()
            assert self._rights is not None
            return self._rights

    def _holds(self, rights: Rights) -> bool:
        return self._revisions.is_current() and rights.revision == self._revisions.rights

    async def _read(self) -> None:
        asked_at = monotonic()
        if self._rights is None or await read_rights_revision(self._db) != self._rights.revision:
            self._rights = await read_rights(self._db)
            self._use(self._rights)
        self._asked_at = asked_at
