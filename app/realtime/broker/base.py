"""What every broker promises."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from app.realtime.events import Envelope, Message


class Listener(Protocol):
    """Who is told what arrives: the hub.

    Both methods are called from the event loop, return at once and do not raise.
    """

    def receive(self, message: Message) -> None:
        """An event, or word that the log of a topic reaches some seq."""

    def gap(self) -> None:
        """Anything may have been missed up to now: what counts has to be read in the log."""


class BrokerNumbers(msgspec.Struct):
    """What a broker has done since it was made, and how it stands.

    `lag_seconds` is how long one of the last messages took from being sent until it arrived here, too.
    """

    published: int = 0
    received: int = 0
    connected: int = 0
    waiting: int = 0
    lag_seconds: float = 0.0


class Broker(Protocol):
    """Carries envelopes from each process to every process, the publishing one included, by the same path.

    - Delivery is at most once for what is ephemeral. A durable event can be lost, doubled or overtaken on the
      way, too; but then `gap` is called, or its topic's next event or the hub's sweep shows it, and the log
      has it.
    - Events that one process publishes arrive everywhere in the order of publishing, as long as nothing
      fails. Between two processes there is no order.
    - Payloads have any size. What the medium cannot carry in one piece arrives as a Head, or is put together
      again.
    - After an interruption the broker recovers by itself: it listens again, then calls `gap`, and only then
      is healthy.
    - Nothing is remembered for a process that is not there.
    """

    async def start(self, listener: Listener) -> None:
        """Return when what is published anywhere arrives here; raises Unavailable when that fails now.

        A broker is started once.
        """

    async def stop(self) -> None:
        """Send what waits if that is possible soon, then end. May be called twice, and without start."""

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Hand over to be sent; never waits and never fails: the change that it tells of is committed.

        What waits is bounded: past the bound, and while nothing can be sent, payloads of durable events are
        dropped and their heads kept, so that receivers read the log; ephemeral events are dropped. Before
        `start` it waits, after `stop` it is dropped.
        """

    def health(self) -> str | None:
        """None when events are sent and arrive; else one sentence for the readiness check."""

    def numbers(self) -> BrokerNumbers:
        """What it counts; nothing, where nobody counts."""
        return BrokerNumbers()
