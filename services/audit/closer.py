"""The task that closes the chain over what was written since."""

import asyncio
import contextlib
import logging
from typing import Final

from orm.database import Database
from services.audit.chain import close_waiting

CLOSE_SECONDS: Final = 1.0
"""Between two looks at what waits. One look costs both sides together less than 0.3 ms."""

_logger = logging.getLogger(__name__)


class Closer:
    """Closes the chain every `close_seconds` while it runs. There is one in each process; the lease sees to
    it that one works at a time."""

    def __init__(self, db: Database, *, close_seconds: float = CLOSE_SECONDS) -> None:
        self._db = db
        self._close_seconds = close_seconds
        self._closing: asyncio.Task[None] | None = None
        self._is_failing = False

    def start(self) -> None:
        """Close from now on, until `stop`."""
        self._closing = asyncio.create_task(self._keep_closing(), name="audit chain")

    async def stop(self) -> None:
        """Close no more. A batch that was half done is undone; another process, or the next start, takes it
        up. May be called twice, and without `start`."""
        if self._closing is not None:
            self._closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._closing
            self._closing = None

    async def _keep_closing(self) -> None:
        while True:
            try:
                await close_waiting(self._db)
            except Exception:
                if not self._is_failing:
                    _logger.exception("the audit chain cannot be closed: entries wait until it can")
                self._is_failing = True
            else:
                if self._is_failing:
                    _logger.info("the audit chain is closed again")
                self._is_failing = False
            await asyncio.sleep(self._close_seconds)
