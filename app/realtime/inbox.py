"""What has arrived and is to be told: taken a burst at a time, so that everything else gets its turn."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from app.realtime.catch_up import BURST_BYTES
from app.realtime.events import Envelope, Message

logger = logging.getLogger(__name__)

BURST_MESSAGES: Final = 64
"""Told in one go, then the writers get their turn: a quarter of the queue of a connection that keeps up."""
MAX_WAITING: Final = 20_000
"""Messages that wait to be told; more are dropped and, the durable ones, read in the log afterwards."""
SHORTEST_REST_SECONDS: Final = 0.001  # the event loop's clock is no finer
LONGEST_REST_SECONDS: Final = 0.01


class Inbox:
    """A bounded queue in front of `tell`, which is called in the rounds of the event loop that follow, with
    messages of one topic in the order of arrival; between topics there is none.

    After a burst it rests for as long as that took. So telling has half of the time at most, and posting the
    other: requests of this process hold locks that others wait for. And what arrives meanwhile goes out
    together, which for a thousand sockets costs little more than one message: the more there is to tell, the
    less each costs.
    """

    def __init__(self, tell: Callable[[Sequence[Message]], None], *, max_waiting: int = MAX_WAITING) -> None:
        self._tell = tell
        self._max_waiting = max_waiting
        self._waiting: deque[Message] = deque()
        self._pump: asyncio.Handle | None = None
        self._rests_until = 0.0
        self._is_closed = False

    def put(self, message: Message) -> bool:
        """Take a message. False when there is no room: it is dropped."""
        if self._is_closed:
            return True
        if len(self._waiting) >= self._max_waiting:
            return False
        self._waiting.append(message)
        if self._pump is None:
            self._start_pump()
        return True

    def close(self) -> None:
        """Forget what waits, and whatever comes. May be called twice."""
        self._is_closed = True
        self._waiting.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _start_pump(self) -> None:
        loop = asyncio.get_running_loop()
        if self._rests_until > loop.time():
            self._pump = loop.call_at(self._rests_until, self._take)
        else:
            self._pump = loop.call_soon(self._take)

    def _take(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for topic, messages in self._burst().items():
            try:
                self._tell(messages)
            except Exception:
                logger.exception("events of %s could not be told", topic)
        took = loop.time() - began
        if took >= SHORTEST_REST_SECONDS:
            self._rests_until = began + took + min(took, LONGEST_REST_SECONDS)
        self._pump = None
        if self._waiting:
            self._start_pump()

    def _burst(self) -> dict[str, list[Message]]:
        """The next messages, by topic."""
        found: dict[str, list[Message]] = {}
        size = 0
        for _ in range(min(BURST_MESSAGES, len(self._waiting))):
            message = self._waiting.popleft()
            found.setdefault(message.topic, []).append(message)
            size += len(message.frame) if isinstance(message, Envelope) else 0
            if size >= BURST_BYTES:
                break
        return found
