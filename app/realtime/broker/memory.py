"""The broker of a single process: from hand to hand."""

import asyncio
from collections import deque
from collections.abc import Sequence

from app.realtime.broker.base import Broker, BrokerNumbers, Listener
from app.realtime.events import Envelope


class MemoryBroker(Broker):
    """Reaches this process only. Never loses anything while it runs."""

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._waiting: deque[Envelope] = deque()
        self._handle: asyncio.Handle | None = None
        self._is_stopped = False
        self._numbers = BrokerNumbers(connected=1)

    async def start(self, listener: Listener) -> None:
        """See Broker."""
        self._listener = listener
        if self._waiting:
            self._hand_over_soon()

    async def stop(self) -> None:
        """See Broker. What waits is delivered."""
        self._is_stopped = True
        if self._handle is not None:
            self._handle.cancel()
            self._hand_over()

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """See Broker. Delivered in the next round of the loop: nobody is called from within `publish`."""
        if self._is_stopped:
            return
        self._waiting.extend(envelopes)
        self._numbers.published += len(envelopes)
        if self._listener is not None and self._handle is None:
            self._hand_over_soon()

    def health(self) -> str | None:
        """See Broker."""
        return None if self._listener is not None and not self._is_stopped else "the broker is not running"

    def numbers(self) -> BrokerNumbers:
        """See Broker."""
        self._numbers.waiting = len(self._waiting)
        self._numbers.received = self._numbers.published - self._numbers.waiting
        return self._numbers

    def _hand_over_soon(self) -> None:
        self._handle = asyncio.get_running_loop().call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._handle = None
        assert self._listener is not None
        while self._waiting:
            self._listener.receive(self._waiting.popleft())
