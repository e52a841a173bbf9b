"""What has arrived and is to be told: taken a burst at a time, so that the writers get their turn."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from app.realtime.catch_up import BURST_BYTES
from app.realtime.events import Envelope, Message

logger = logging.getLogger(__name__)

BURST_MESSAGES: Final = 64
"""Told in one go, then the writers get their turn: a quarter of the queue of a connection that keeps up."""
MAX_WAITING: Final = 20_000
"""Messages that wait to be told; more are dropped and, the durable ones, read in the log afterwards."""


class Inbox:
    """A bounded queue in front of `tell`, which is called in the rounds of the event loop that follow."""

    def __init__(self, tell: Callable[[Message], None], *, max_waiting: int = MAX_WAITING) -> None:
        self._tell = tell
        self._max_waiting = max_waiting
        self._waiting: deque[Message] = deque()
        self._pump: asyncio.Handle | None = None
        self._is_closed = False

    def put(self, message: Message) -> bool:
        """Take a message. False when there is no room: it is dropped."""
        if self._is_closed:
            return True
        if len(self._waiting) >= self._max_waiting:
            return False
        self._waiting.append(message)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().call_soon(self._take)
        return True

    def close(self) -> None:
        """Forget what waits, and whatever comes. May be called twice."""
        self._is_closed = True
        self._waiting.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _take(self) -> None:
        self._pump = None
        size = 0
        for _ in range(min(BURST_MESSAGES, len(self._waiting))):
            message = self._waiting.popleft()
            try:
                self._tell(message)
            except Exception:
                logger.exception("an event of %s could not be told", message.topic)
            size += len(message.frame) if isinstance(message, Envelope) else 0
            if size >= BURST_BYTES:
                break
        if self._waiting:
            self._pump = asyncio.get_running_loop().call_soon(self._take)
