"""Telling what arrives: each durable event of a topic once, in order; and what an event does to
subscriptions.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from app.realtime.catch_up import CatchUp
from app.realtime.events import Envelope, Frame, Head, Message, Run
from app.realtime.hub_numbers import HubNumbers
from app.realtime.listeners import Listeners
from app.realtime.log import EventLog
from app.realtime.rooms import Rooms
from app.realtime.seats import Seats
from app.realtime.tasks import Tasks
from app.realtime.topic import Topic


class Teller:
    """Takes messages in the order of arrival. `catch_up` closes the gaps that it finds in them."""

    def __init__(
        self,
        seats: Seats,
        rooms: Rooms,
        log: EventLog,
        tasks: Tasks,
        numbers: HubNumbers,
        *,
        sweep_seconds: float,
        patience_seconds: float,
    ) -> None:
        self.listeners = Listeners()
        self.catch_up = CatchUp(
            log, self, tasks, sweep_seconds=sweep_seconds, patience_seconds=patience_seconds
        )
        self._seats = seats
        self._rooms = rooms
        self._tasks = tasks
        self._numbers = numbers
        self._joined: dict[tuple[str, int], float] = {}
        rooms.on_open = self.catch_up.check_soon

    def tell(self, messages: Sequence[Message]) -> None:
        """Tell messages of one topic to whoever they are for, in order and as far as it is their turn."""
        durable: list[Envelope] = []
        for message in messages:
            if isinstance(message, Envelope) and message.seq is not None:
                durable.append(message)
                continue
            self._tell_durable(durable)
            durable = []
            if isinstance(message, Envelope):
                self._tell_ephemeral(message)
            else:
                self._tell_head(message)
        self._tell_durable(durable)

    def _tell_durable(self, envelopes: Sequence[Envelope]) -> None:
        for number, envelope in enumerate(envelopes):
            topic = self._rooms.heard(envelope.topic)
            if topic is not None:
                self.advance(topic, *envelopes[number:])
                self.catch_up.chase(topic)
                return
            if envelope.joins:
                self.join(envelope)  # from here on somebody may listen

    def _tell_head(self, head: Head) -> None:
        topic = self._rooms.heard(head.topic)
        if topic is not None:
            topic.expect(head.seq)
            self.catch_up.chase(topic)
        elif self._seats.of_users(head.joins):
            self._tasks.spawn(self._fetch_join(head), name=f"read a join of {head.topic}")

    def _tell_ephemeral(self, envelope: Envelope) -> None:
        self.listeners.tell(envelope.topic, envelope.frame)
        frame = Frame(envelope.frame)
        seats = self._seats.of_users(envelope.to_users)
        self._numbers.told += len(seats)
        for seat in seats:
            seat.receiver.send_nowait(frame)
        topic = self._rooms.get(envelope.topic)
        if topic is not None:
            self._numbers.told += topic.size
            for receiver in topic.receivers():
                receiver.send_nowait(frame)

    def tell_here(self, name: str, frame: bytes, *, besides: int) -> int:
        """See Hub."""
        topic = self._rooms.get(name)
        if topic is None:
            return 0
        shared, told = Frame(frame), 0
        for receiver in topic.receivers():
            if self._seats[receiver].user_id != besides and not receiver.is_congested:
                receiver.send_nowait(shared)
                told += 1
        self._numbers.told += told
        return told

    # -- durable events

    def advance(self, topic: Topic, *envelopes: Envelope) -> None:
        """Tell events whose turn it is, and those that waited for them."""
        run: list[Envelope] = []
        for envelope in envelopes:
            ready = topic.accept(envelope.durable_seq, envelope)
            while ready is not None:
                run.append(ready)
                if ready.joins or ready.ends or topic.ahead:  # others may listen after it
                    self._tell(topic, run)
                    run = []
                ready = topic.following()
        if run:
            self._tell(topic, run)

    def _tell(self, topic: Topic, run: Sequence[Envelope]) -> None:
        """Give events to all that are live: the hot path. Only the last of them joins or ends anything."""
        frames = [Frame(envelope.frame) for envelope in run]
        self._numbers.told += len(frames) * len(topic.live)
        if len(frames) == 1:
            (frame,) = frames
            for receiver in topic.live:
                receiver.send_nowait(frame)
        else:
            together = Run(frames)
            for receiver in topic.live:
                receiver.send_run(together)
        topic.told(run)
        last = run[-1]
        if last.joins:
            self._admit(last, frames[-1], topic)
        if last.ends:
            self._end(topic, last)

    def _end(self, topic: Topic, envelope: Envelope) -> None:
        """End the live subscriptions that this event ends; a right that was checked after it stands."""
        for seat in self._seats.of_users(envelope.ends):
            admitted = topic.live.get(seat.receiver)
            if admitted is not None and envelope.durable_seq > admitted:
                self._rooms.leave(topic, seat.receiver)

    def _admit(self, envelope: Envelope, frame: Frame, topic: Topic | None) -> None:
        """Give an event to every connection of those that join by it; subscribe those that follow."""
        seq = envelope.durable_seq
        self._joined[envelope.topic, seq] = asyncio.get_running_loop().time()
        for seat in self._seats.of_users(envelope.joins):
            if topic is not None and seat.receiver in topic:
                continue
            self._numbers.told += 1
            seat.receiver.send_nowait(frame)
            if seat.follows:
                topic = topic or self._rooms.open(envelope.topic, at=seq)
                self._rooms.enter(topic, seat, position=seq, admitted=seq)

    def join(self, envelope: Envelope) -> None:
        """Tell a join that nobody here waited for, or whose notification was lost; once."""
        seq = envelope.durable_seq
        if (envelope.topic, seq) in self._joined:
            return
        topic = self._rooms.heard(envelope.topic)
        if topic is not None and seq > topic.delivered:
            topic.expect(seq)  # it will be told in its turn
            self.catch_up.chase(topic)
        else:
            self._admit(envelope, Frame(envelope.frame), topic)

    async def _fetch_join(self, head: Head) -> None:
        """Read the event of a head by which somebody here joins a topic that nobody here listens to."""
        events = await self._rooms.reader.read(
            head.topic, head.seq - 1, limit=1, is_wanted=lambda: bool(self._seats.of_users(head.joins))
        )
        if events and events[0].seq == head.seq:
            self.join(events[0])

    # -- what catch_up asks of its audience

    @property
    def topics(self) -> Mapping[str, Topic]:
        """See Audience."""
        return self._rooms.topics

    @property
    def users(self) -> Collection[int]:
        """See Audience."""
        return self._rooms.users()

    def drop_silent_topics(self) -> None:
        """See Audience."""
        self._rooms.drop_silent()

    def forget_joins(self, before: float) -> None:
        """See Audience."""
        for key in [key for key, told_at in self._joined.items() if told_at < before]:
            del self._joined[key]

    def lose(self, topic: Topic) -> None:
        """See Audience."""
        self._rooms.lose(topic)
