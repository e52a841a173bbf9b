"""One broker and one hub, started and stopped together: what a process needs to tell what happens, anywhere.

realtime = Realtime(make_broker(settings, connect=connect))
realtime.keep("chat", ChatEventLog(db))                     # topics chat:... have durable events
await realtime.start()

listening = realtime.listen("prices", on_prices, on_gap=forget_prices)
realtime.tell("prices", b'{"changed": 7}')                  # in every process, this one included
realtime.publish([Envelope("chat:7", seq, frame)])          # to sockets, after the commit
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from app.realtime.broker.base import Broker, BrokerNumbers
from app.realtime.events import Envelope
from app.realtime.hub import Hub
from app.realtime.listeners import Callback, GapCallback, Listening
from app.realtime.log import EventLog
from app.realtime.logs import EventLogs

_NO_LOGS: Final[Mapping[str, EventLog]] = MappingProxyType({})


class Realtime:
    """See the module. `logs` are those of the topics that have durable events, by their kind: what stands
    before the colon.
    """

    def __init__(self, broker: Broker, logs: Mapping[str, EventLog] = _NO_LOGS) -> None:
        self._logs = EventLogs(logs)
        self.hub = Hub(self._logs)
        self._broker = broker

    def keep(self, kind: str, log: EventLog) -> None:
        """From now on topics of this kind have their events in `log`. Raises ValueError if another has
        them.
        """
        self._logs.add(kind, log)

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

    def tell(self, topic: str, payload: bytes) -> None:
        """Tell the listeners to a topic, and sockets that are subscribed to it, in all processes, this one
        included: JSON in UTF-8. It is not kept: who is away or was interrupted does not get it. Never waits
        and never fails; what one process tells arrives in order.
        """
        self._broker.publish([Envelope(topic, None, payload)])

    def listen(self, topic: str, callback: Callback, on_gap: GapCallback | None = None) -> Listening:
        """Call `callback` with each payload told under a topic, in whatever process, until `stop()` is
        called on what comes back.

        `on_gap` is called when something may have been missed: after an interruption, before anything that
        was told later. Whoever remembers something because he would have been told of a change has to
        forget it then. Both are called from the event loop, return at once, and may be given before
        `start`; one that raises is logged.
        """
        return self.hub.listen(topic, callback, on_gap)

    def health(self) -> str | None:
        """None when events are sent, arrive and were caught up with; else one sentence that may be shown."""
        return self._broker.health() or self.hub.health()

    def broker_numbers(self) -> BrokerNumbers:
        """What the broker counts."""
        return self._broker.numbers()

    @property
    def events_caught_up(self) -> int:
        """Events so far that were read in the log because no word of them came in time."""
        return self._logs.events_caught_up
