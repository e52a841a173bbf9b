"""Whether the database answers, and is the one that can be written to; asked beside all requests."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Final

import asyncpg

from orm.database import Database
from orm.driver_errors import DRIVER_ERRORS
from orm.errors import Problem
from orm.link import Link

WATCH_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 1.0
"""Together less than the two seconds within which readiness has to say that the database is away."""

MARGIN_SECONDS: Final = 5.0
"""How much longer than a statement may run we wait for the server to say so. It has not kept the time then:
it, or something on the way to it, is gone without a word."""

_TROUBLE: Final = "the database does not answer"
_READ_ONLY: Final = "the database can only be read"

# "on" on a standby, and on a server that was demoted while we were connected to it.
_QUESTION: Final = "SELECT pg_catalog.current_setting('transaction_read_only')"

_logger = logging.getLogger(__name__)


class DatabaseWatch:
    """Looks at the database twice a second while it runs.

    A look takes a connection that lies idle. Where all are in use it makes one for itself, so that a busy
    pool is not mistaken for a database that is away, and readiness never waits for a pool. Where
    DATABASE__URL names several hosts, connections to one that can only be read are closed: the next ones are
    made to the host that can be written to.

    It also ends connections whose server went away without a word: those that have waited for an answer for
    longer than `statement_timeout_seconds` (0: a statement may take for ever) and a margin, and, when an idle
    one does not answer a look, the others that lie idle.
    """

    def __init__(self, db: Database, *, statement_timeout_seconds: float = 0.0) -> None:
        self._db = db
        self._statement_timeout_seconds = statement_timeout_seconds
        self._has_several_hosts = "," in db.url
        self._trouble: str | None = None
        self._watching: asyncio.Task[None] | None = None

    def trouble(self) -> str | None:
        """None when the last look was answered well, else a sentence that anybody may be shown."""
        return self._trouble

    def start(self) -> None:
        """Look from now on, until `stop`."""
        self._watching = asyncio.create_task(self._keep_looking(), name="database watch")

    async def stop(self) -> None:
        """Look no more. May be called twice, and without `start`."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    async def look(self) -> str | None:
        """One look: what is wrong, or None."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await (self._ask_idle() if self._db.pool.idle else self._ask_anew())
        except asyncpg.TooManyConnectionsError:
            return None  # an answer, too
        except (Problem, *DRIVER_ERRORS) as error:
            _logger.debug("the database does not answer: %s", error)
            return _TROUBLE

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._cut_off()
            found = await self.look()
            if found is not None and self._trouble is None:
                _logger.warning("%s", found)
            elif found is None and self._trouble is not None:
                _logger.info("the database answers again")
            self._trouble = found

    def _cut_off(self) -> None:
        """End connections that have waited for too long."""
        if self._statement_timeout_seconds:
            count = self._db.pool.cut_off(self._statement_timeout_seconds + MARGIN_SECONDS)
            if count:
                _logger.warning("%d connections to the database were ended: it did not answer on them", count)

    async def _ask_idle(self) -> str | None:
        """Ask on one idle connection, or on all of them where they may have come to different hosts."""
        found = None
        links = list(self._idle_links(None if self._has_several_hosts else 1))
        try:
            for link in links:
                if not await self._may_write(link):
                    link.is_broken = self._has_several_hosts
                    found = _READ_ONLY
        except asyncio.CancelledError:  # the second is over, or the watch
            links += self._idle_links(None)
            for link in links:
                link.is_broken = True
            raise
        finally:
            for link in links:
                self._db.pool.give(link)
        return found

    def _idle_links(self, most: int | None) -> Iterator[Link]:
        taken = 0
        while most is None or taken < most:
            link = self._db.pool.take_idle()
            if link is None:
                return
            taken += 1
            yield link

    async def _may_write(self, link: Link) -> bool:
        answer: str = (await link.fetch(_QUESTION, ()))[0][0]
        return answer == "off"

    async def _ask_anew(self) -> str | None:
        connection = await self._db.connect()
        try:
            return None if await connection.fetchval(_QUESTION) == "off" else _READ_ONLY
        finally:
            connection.terminate()
