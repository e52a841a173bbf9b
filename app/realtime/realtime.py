"""One broker and one hub, started and stopped together."""

from collections.abc import Sequence

from app.realtime.broker.base import Broker
from app.realtime.events import Envelope
from app.realtime.hub import Hub
from app.realtime.log import EventLog


class Realtime:
    """What a process needs to tell its sockets what happens anywhere. `log` is the application's."""

    def __init__(self, broker: Broker, log: EventLog) -> None:
        self.hub = Hub(log)
        self._broker = broker

    async def start(self) -> None:
        """Return when what is published anywhere is told here. Raises Unavailable when it cannot be."""
        await self.hub.start()
        try:
            await self._broker.start(self.hub)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Send what waits, then end. May be called twice, and without `start`.

        It does not touch the sockets: `hub.drain` does.
        """
        try:
            await self._broker.stop()
        finally:
            await self.hub.stop()

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Tell all processes, this one included; durable events only after they were committed.

        Never waits and never fails.
        """
        self._broker.publish(envelopes)

    def health(self) -> str | None:
        """None when events are sent, arrive and were caught up with; else one sentence that may be shown."""
        return self._broker.health() or self.hub.health()
