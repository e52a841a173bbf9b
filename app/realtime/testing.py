"""Stand-ins for tests: a log that is kept in memory, a receiver that remembers what it got, and brokers of
several processes that are one.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from app.realtime.broker.base import Broker, Listener
from app.realtime.close_codes import CloseCode
from app.realtime.events import Envelope, Frame, Run
from app.realtime.log import EventLog


class MemoryEventLog(EventLog):
    """An event log in memory. `append` is the commit of an event; publishing it is up to the test."""

    def __init__(self) -> None:
        self._events: dict[str, list[Envelope]] = {}
        self._heads: dict[str, int] = {}
        self._joins: list[tuple[float, Envelope]] = []
        self.reads: list[tuple[str, int]] = []
        """Topic and `after_seq` of each `read`, in order."""
        self.compared: list[str] = []
        """The topics of each `heads`, in order."""

    def append(
        self,
        topic: str,
        *,
        ends: tuple[int, ...] = (),
        joins: tuple[int, ...] = (),
        payload: str = "",
    ) -> Envelope:
        """Store the next event of a topic: `{"topic", "seq", "payload"}`."""
        seq = self._heads.get(topic, 0) + 1
        frame = msgspec.json.encode({"topic": topic, "seq": seq, "payload": payload})
        envelope = Envelope(topic, seq, frame, ends, joins)
        self._heads[topic] = seq
        self._events.setdefault(topic, []).append(envelope)
        if joins:
            self._joins.append((time.monotonic(), envelope))
        return envelope

    def trim(self, topic: str, *, through: int) -> None:
        """Keep only the events after `through`."""
        self._events[topic] = [event for event in self._events[topic] if event.durable_seq > through]

    def lose_tail(self, topic: str, *, after: int) -> None:
        """Forget the events after `after`, as a fail-over to a replica that lagged does."""
        self._events[topic] = [event for event in self._events[topic] if event.durable_seq <= after]
        self._heads[topic] = after

    async def heads(self, topics: Collection[str]) -> Mapping[str, int]:
        """See EventLog."""
        self.compared += topics
        return {topic: self._heads[topic] for topic in topics if topic in self._heads}

    async def read(self, topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        """See EventLog."""
        self.reads.append((topic, after_seq))
        return [e for e in self._events.get(topic, []) if e.durable_seq > after_seq][:limit]

    async def joins(self, user_ids: Collection[int], within_seconds: float) -> Sequence[Envelope]:
        """See EventLog."""
        oldest = time.monotonic() - within_seconds
        return [e for at, e in self._joins if at >= oldest and not set(e.joins).isdisjoint(user_ids)]


class RecordingReceiver:
    """A receiver that keeps up and remembers: `frames` as sent, `closed_with` once it was closed."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed_with: CloseCode | None = None
        self.is_congested = False
        self.dropped = 0

    def send_nowait(self, frame: Frame) -> None:
        """See Receiver. After a close frames are dropped, as a socket does."""
        if self.closed_with is None:
            self.frames.append(frame.data)
        else:
            self.dropped += self.closed_with is CloseCode.SLOW

    def send_run(self, run: Run) -> None:
        """See Receiver."""
        for frame in run.frames:
            self.send_nowait(frame)

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """See Receiver."""
        self.closed_with = self.closed_with or code

    async def drained(self) -> bool:
        """See Receiver."""
        return self.closed_with is None

    @property
    def received(self) -> list[Any]:
        """The frames, decoded."""
        return [msgspec.json.decode(frame) for frame in self.frames]

    def seqs(self, topic: str) -> list[int]:
        """The seqs of the events of one topic, in the order of arrival."""
        return [event["seq"] for event in self.received if event.get("topic") == topic]


class Bus:
    """Carries between the brokers that it makes, each of which stands for one process."""

    def __init__(self) -> None:
        self._brokers: list[BusBroker] = []

    def broker(self) -> "BusBroker":
        """The broker of one more process."""
        broker = BusBroker(self._brokers)
        self._brokers.append(broker)
        return broker


class BusBroker(Broker):
    """One process's end of a bus. While `is_cut` nothing gets in or out, as when the process hangs or is
    killed; `trouble` is what its health says.
    """

    def __init__(self, brokers: Sequence["BusBroker"]) -> None:
        self._brokers = brokers
        self.listener: Listener | None = None
        self.is_cut = False
        self.trouble: str | None = None

    async def start(self, listener: Listener) -> None:
        """See Broker."""
        self.listener = listener

    async def stop(self) -> None:
        """See Broker."""
        self.listener = None

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """See Broker. Delivered in the next round of the loop."""
        if not self.is_cut:
            asyncio.get_running_loop().call_soon(self._deliver, tuple(envelopes))

    def health(self) -> str | None:
        """See Broker."""
        return self.trouble

    def _deliver(self, envelopes: Sequence[Envelope]) -> None:
        for broker in self._brokers:
            if broker.listener is not None and not broker.is_cut:
                for envelope in envelopes:
                    broker.listener.receive(envelope)
