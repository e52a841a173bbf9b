"""Reading the log on behalf of many: a few at a time, and again until it works."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from app.realtime.backoff import Backoff
from app.realtime.events import Envelope
from app.realtime.log import EventLog

logger = logging.getLogger(__name__)

T = TypeVar("T")

BATCH: Final = 100
"""Events a read: what comes of one fits, told in one go, into the 256 frames of a connection's queue."""

FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 2.0


class LogReader:
    """Asks `log`, at most `at_once` questions at a time, so that a thousand resumes do not empty the pool.

    A question that fails is asked again for as long as `is_wanted()` says so; the answer is None when it
    says so no longer.
    """

    def __init__(self, log: EventLog, *, at_once: int) -> None:
        self._log = log
        self._places = asyncio.Semaphore(at_once)

    async def read(
        self, topic: str, after_seq: int, *, limit: int = BATCH, is_wanted: Callable[[], bool]
    ) -> Sequence[Envelope] | None:
        """What `EventLog.read` answers."""
        return await self._ask(topic, lambda: self._log.read(topic, after_seq, limit), is_wanted)

    async def head(self, topic: str, *, is_wanted: Callable[[], bool]) -> int | None:
        """The highest seq of one topic, 0 when it is gone."""
        heads = await self._ask(topic, lambda: self._log.heads((topic,)), is_wanted)
        return None if heads is None else heads.get(topic, 0)

    async def _ask(
        self, topic: str, question: Callable[[], Awaitable[T]], is_wanted: Callable[[], bool]
    ) -> T | None:
        backoff = Backoff(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        has_failed = False
        while is_wanted():
            try:
                async with self._places:
                    return await question()
            except Exception:
                if not has_failed:
                    logger.warning("cannot read the log of %s, will try again", topic, exc_info=True)
                has_failed = True
            await asyncio.sleep(backoff.next())
        return None
