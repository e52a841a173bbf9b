"""How a process notices, within a second, that what it remembers about sessions and rights is no longer
true.

Every change that a cached right rests on (a logout, a revoked session, a user disabled or demoted) bumps
one number in its own transaction. Each process reads that number every half second and forgets everything
when it has moved. A process that cannot read it for a second trusts nothing it remembers and asks the
database each time: so an undelivered message, a cut connection or a stopped server can make requests
dearer, but never let a revoked session in.

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
    after it.
    """

    def __init__(
        self, db: Database, *, poll_seconds: float = POLL_SECONDS, trust_seconds: float = TRUST_SECONDS
    ) -> None:
        self.generation = 0
        self._db = db
        self._poll_seconds = poll_seconds
        self._trust_seconds = trust_seconds
        self._trusted_until = -math.inf
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []
        self._connection: asyncpg.Connection[Any] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._is_away = False

    def is_current(self) -> bool:
        """Whether everything remembered since the last `on_change` still holds."""
        return monotonic() < self._trusted_until

    def on_change(self, forget: Callable[[], None]) -> None:
        """Call `forget` at every change from now on. It must neither wait nor raise."""
        self._listeners.append(forget)

    async def bump(self) -> None:
        """When the open transaction commits, this process forgets at once and every other within a second.

        Call it last: transactions that change rights queue here until the one before has ended. Raises
        UsageError outside of a transaction.
        """
        if not self._db.in_transaction:
            raise UsageError("a change of rights is announced in the transaction that makes it")
        ((revision,),) = await self._db.run(_SQL["bump"])
        self._db.on_commit(lambda: self._committed(revision))

    def changed(self) -> None:
        """Rights have changed: forget what was remembered."""
        self.generation += 1
        for forget in self._listeners:
            forget()

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

    def _committed(self, revision: int) -> None:
        if self._revision == revision - 1:
            self._revision = revision  # nobody else came between: the next read has nothing new to tell
        self.changed()

    async def _keep_reading(self) -> None:
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        while True:
            # Not one after the other without end when the loop was held up: the rhythm starts anew.
            next_at = max(next_at + self._poll_seconds, loop.time())
            await asyncio.sleep(next_at - loop.time())
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
            revision = await self._connection.fetchval(_SQL["read"])
        if revision != self._revision:
            self._revision = revision
            self.changed()
        self._trusted_until = asked_at + self._trust_seconds

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
