"""How a process notices, within a second, that what it remembers about sessions and rights is no longer
true.

Every change that a cached right rests on (a logout, a revoked session, a user disabled or demoted, a role, an
access list, a rule) moves one number in its own transaction: triggers do it, so that it does not matter who
writes. Each process reads that number every half second and forgets everything when it has moved; the process
that made the change reads it at once. One that cannot read it for a second trusts nothing it remembers and
asks the database each time: so an undelivered message, a cut connection or a stopped server can make
requests dearer, but never let a revoked session in.

A second number moves with the rights themselves only, so that a logout makes nobody read all rights again.

Reading goes over a connection of its own: while the pool is exhausted, which is when caches are needed
most, the number must still be read."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from orm.database import Database
from orm.driver_errors import DRIVER_ERRORS
from orm.errors import UsageError
from sql import statements

if TYPE_CHECKING:
    import asyncpg

POLL_SECONDS: Final = 0.5
"""Between two reads. One costs both sides together less than 0.2 ms."""

TRUST_SECONDS: Final = 1.0
"""How long what was read holds, counted from the moment of asking: the longest life of a revoked right."""

_CLOSE_SECONDS: Final = 1.0

_SQL = statements("security/revisions")
_logger = logging.getLogger(__name__)


class Revisions:
    """The revision of all rights, as this process knows it.

    A cache asks `is_current` before each use, hands a function that empties it to `on_change`, and stores
    nothing that it read while `generation` was another one: what was read before a change must not be kept
    after it. `rights` is the revision of roles, access lists and rules alone.
    """

    def __init__(
        self, db: Database, *, poll_seconds: float = POLL_SECONDS, trust_seconds: float = TRUST_SECONDS
    ) -> None:
        self.generation = 0
        self.rights = -1
        self._db = db
        self._poll_seconds = poll_seconds
        self._trust_seconds = trust_seconds
        self._trusted_until = -math.inf
        self._doubted_at = -math.inf
        self._is_due = asyncio.Event()
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []
        self._tellers: list[Callable[[], None]] = []
        self._connection: asyncpg.Connection[Any] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_away = False

    def is_current(self) -> bool:
        """Whether everything remembered since the last `on_change` still holds."""
        return monotonic() < self._trusted_until

    def on_change(self, forget: Callable[[], None]) -> None:
        """Call `forget` at every change from now on. It must neither wait nor raise."""
        self._listeners.append(forget)

    def announce(self) -> None:
        """When the open transaction commits, this process trusts nothing until it has read the number anew.

        Raises UsageError outside of a transaction.
        """
        if not self._db.in_transaction:
            raise UsageError("a change of rights is announced in the transaction that makes it")
        self._db.on_commit(self._tell)

    def on_announcement(self, tell: Callable[[], None]) -> None:
        """Call `tell` when a change of this process is committed: so that others look at once, too. It must
        neither wait nor raise."""
        self._tellers.append(tell)

    def doubt(self) -> None:
        """Rights may have changed: trust nothing until the number was read, which begins at once."""
        self._doubted_at = monotonic()
        self._trusted_until = -math.inf
        self._is_due.set()

    async def start(self) -> None:
        """Read the number once, then go on reading it until `stop`. Raises what the driver raises."""
        await self._read()
        self._reading = asyncio.create_task(self._keep_reading(), name="access revisions")

    async def stop(self) -> None:
        """Read no more; nothing is trusted from now on. May be called twice, and without `start`."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None
        self._trusted_until = -math.inf
        if self._connection is not None:
            with contextlib.suppress(*DRIVER_ERRORS):  # gone already, or cut off while it was being closed
                await self._connection.close(timeout=_CLOSE_SECONDS)
            self._hang_up()

    async def _keep_reading(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._is_due.wait()
            self._is_due.clear()
            try:
                await self._read()
            except Exception:
                self._hang_up()
                if not self._is_away:
                    _logger.exception(
                        "the access revision cannot be read: nothing that was remembered is trusted"
                    )
                self._is_away = True
            else:
                if self._is_away:
                    _logger.info("the access revision can be read again")
                self._is_away = False

    async def _read(self) -> None:
        if self._connection is None:
            self._connection = await self._db.connect()
        asked_at = monotonic()
        async with asyncio.timeout(self._trust_seconds):
            revision, self.rights = await self._connection.fetchrow(_SQL["read"])
        if revision != self._revision:
            self._revision = revision
            self._changed()
        if asked_at >= self._doubted_at:  # else the answer may be older than the doubt
            self._trusted_until = asked_at + self._trust_seconds

    def _tell(self) -> None:
        self.doubt()
        for tell in self._tellers:
            tell()

    def _changed(self) -> None:
        self.generation += 1
        for forget in self._listeners:
            forget()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
