"""Who listens in this process, and telling them: each event of a topic once, in order, without a gap.

What comes from the broker may be doubled, swapped or missing. An event is told when its turn in its topic has
come; gaps are closed from the log (`catch_up`), a subscriber that resumes reads the log at its own pace
(`replay`), and nothing is asked for each receiver. Everything here runs in one thread and, apart from `stop`,
without waiting.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

from app.realtime.catch_up import BURST_BYTES, CatchUp
from app.realtime.close_codes import CloseCode
from app.realtime.events import Envelope, Frame, Head, Message
from app.realtime.log import EventLog
from app.realtime.reader import LogReader
from app.realtime.replay import replay
from app.realtime.seats import Seat, Seats
from app.realtime.tasks import Tasks
from app.realtime.topic import CHECK_AGAIN, Entry, Receiver, Topic

logger = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.5
PATIENCE_SECONDS: Final = 0.01  # some times what lies between two notifiers, and still unnoticed by a reader
REPLAY_READS_AT_ONCE: Final = 4
BURST_MESSAGES: Final = 64
"""Told in one go, then the writers get their turn: a quarter of the queue of a connection that keeps up."""
MAX_WAITING: Final = 20_000
"""Messages that wait to be told; more are dropped and, the durable ones, read in the log afterwards."""


class Hub:
    """See the module. `log` is the application's; the rest are times for tests."""

    def __init__(
        self,
        log: EventLog,
        *,
        sweep_seconds: float = SWEEP_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._seats = Seats()
        self._topics: dict[str, Topic] = {}
        self._joined: dict[tuple[str, int], float] = {}
        self._inbox: deque[Message] = deque()
        self._max_waiting = max_waiting
        self._pump: asyncio.Handle | None = None
        self._is_stopped = False
        self._is_draining = False
        self._tasks = Tasks()
        self._reader = LogReader(log, at_once=REPLAY_READS_AT_ONCE)
        self._catch_up = CatchUp(
            log, self, self._tasks, sweep_seconds=sweep_seconds, patience_seconds=patience_seconds
        )

    async def start(self) -> None:
        """Begin to sweep."""
        self._tasks.spawn(self._catch_up.run(), name="sweep of the event log")

    async def stop(self) -> None:
        """End all background work; what arrives from now on is dropped.

        May be called twice, and without `start`.
        """
        self._is_stopped = True
        self._inbox.clear()
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        await self._tasks.stop()

    def health(self) -> str | None:
        """None when nobody here waits for an event that exists; else a sentence for the readiness check."""
        return self._catch_up.health()

    # -- connections

    def connect(self, receiver: Receiver, user_id: int) -> None:
        """Register a connection of this user. Raises ValueError if it is another user's."""
        self._seats.take(receiver, user_id)
        if self._is_draining:
            receiver.close(CloseCode.RESTART)

    def disconnect(self, receiver: Receiver) -> None:
        """Forget a connection and its subscriptions. May be called twice."""
        seat = self._seats.leave(receiver)
        if seat is not None:
            for name in seat.topics:
                self.unsubscribe(receiver, name)

    def receivers(self, user_id: int | None = None) -> tuple[Receiver, ...]:
        """The connections of one user here, oldest first; of everybody without `user_id`."""
        seats = self._seats if user_id is None else self._seats.of_user(user_id)
        return tuple(seat.receiver for seat in seats)

    def drain(self) -> None:
        """Close all connections with RESTART, and those that still come: this process is about to end."""
        self._is_draining = True
        for receiver in self.receivers():
            receiver.close(CloseCode.RESTART)

    def follow(self, receiver: Receiver) -> None:
        """From now on the connection is subscribed to each topic that its user joins.

        Call it before looking up the topics that the user is in, so that none falls between.
        """
        self._seats[receiver].follows = True

    # -- subscriptions

    def subscribe(
        self,
        receiver: Receiver,
        name: str,
        *,
        seq: int,
        since: int | None = None,
        greeting: bytes,
        reset: bytes | None = None,
    ) -> None:
        """Subscribe a connection: it gets `greeting`, then the events after `since`, then the live ones.

        `seq` is the head of the topic as seen in the statement that also found that the user may listen: an
        event after it that ends this right ends the subscription, however late this call is. Without `since`
        events after `seq` follow. When events after `since` are not kept any longer, or `since` is beyond
        `seq`, the connection gets the frame `reset`, and what follows `seq`. A subscription that it has
        already is replaced. Raises KeyError if it is not connected, ValueError for a `since` without `reset`.
        """
        if since is not None and reset is None:
            raise ValueError(
                "a subscription with `since` needs the frame that says that it cannot be honoured"
            )
        seat = self._seats[receiver]
        self.unsubscribe(receiver, name)
        receiver.send_nowait(Frame(greeting))
        position = seq if since is None else since
        reset_frame = Frame(reset) if reset is not None else None
        if position > seq and reset_frame is not None:
            receiver.send_nowait(reset_frame)
            position, reset_frame = seq, None
        topic = self._heard(name) or self._open(name, at=seq)
        topic.expect(seq)
        self._enter(topic, seat, position=position, admitted=seq, reset=reset_frame)
        self._catch_up.chase(topic)

    def unsubscribe(self, receiver: Receiver, name: str) -> None:
        """End a subscription, if there is one."""
        topic = self._topics.get(name)
        if topic is not None:
            self._leave(topic, receiver)

    # -- what the broker calls

    def receive(self, message: Message) -> None:
        """Take a message of the broker; it is told soon, in the order of arrival."""
        if self._is_stopped:
            return
        if len(self._inbox) >= self._max_waiting:
            self.gap()
            return
        self._inbox.append(message)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().call_soon(self._take_in)

    def gap(self) -> None:
        """Note that messages may have been missed: all topics are compared with the log at once."""
        self._catch_up.gap()

    def _take_in(self) -> None:
        """Tell a burst of what has arrived, then let the writers of the connections work."""
        self._pump = None
        size = 0
        for _ in range(min(BURST_MESSAGES, len(self._inbox))):
            message = self._inbox.popleft()
            try:
                self._dispatch(message)
            except Exception:
                logger.exception("an event of %s could not be told", message.topic)
            size += len(message.frame) if isinstance(message, Envelope) else 0
            if size >= BURST_BYTES:
                break
        if self._inbox:
            self._pump = asyncio.get_running_loop().call_soon(self._take_in)

    def _dispatch(self, message: Message) -> None:
        if isinstance(message, Envelope) and message.seq is None:
            self._tell_ephemeral(message)
            return
        topic = self._heard(message.topic)
        if topic is not None:
            if isinstance(message, Envelope):
                self.advance(topic, message)
            else:
                topic.expect(message.seq)
            self._catch_up.chase(topic)
        elif message.joins:
            if isinstance(message, Envelope):
                self.join(message)
            elif self._seats.of_users(message.joins):
                self._tasks.spawn(self._fetch_join(message), name=f"read a join of {message.topic}")

    def _tell_ephemeral(self, envelope: Envelope) -> None:
        frame = Frame(envelope.frame)
        for seat in self._seats.of_users(envelope.to_users):
            seat.receiver.send_nowait(frame)
        topic = self._topics.get(envelope.topic)
        if topic is not None:
            for receivers in (topic.live, topic.ahead, topic.replays):
                for receiver in receivers:
                    receiver.send_nowait(frame)

    # -- telling durable events

    def advance(self, topic: Topic, envelope: Envelope) -> None:
        """Tell an event if it is its turn, and those that waited for it."""
        ready = topic.accept(envelope.durable_seq, envelope)
        while ready is not None:
            self._tell(topic, ready)
            ready = topic.following()

    def _tell(self, topic: Topic, envelope: Envelope) -> None:
        """Give an event to all that are live: the hot path."""
        frame = Frame(envelope.frame)
        for receiver in topic.live:
            receiver.send_nowait(frame)
        topic.told(envelope)
        if envelope.joins:
            self._admit(envelope, frame, topic)
        if envelope.ends:
            self._end(topic, envelope)

    def _end(self, topic: Topic, envelope: Envelope) -> None:
        """End the live subscriptions that this event ends; a right that was checked after it stands."""
        for seat in self._seats.of_users(envelope.ends):
            admitted = topic.live.get(seat.receiver)
            if admitted is not None and envelope.durable_seq > admitted:
                self._leave(topic, seat.receiver)

    def _admit(self, envelope: Envelope, frame: Frame, topic: Topic | None) -> None:
        """Give an event to every connection of those that join by it; subscribe those that follow."""
        seq = envelope.durable_seq
        self._joined[envelope.topic, seq] = asyncio.get_running_loop().time()
        for seat in self._seats.of_users(envelope.joins):
            if topic is not None and seat.receiver in topic:
                continue
            seat.receiver.send_nowait(frame)
            if seat.follows:
                topic = topic or self._open(envelope.topic, at=seq)
                self._enter(topic, seat, position=seq, admitted=seq)

    def join(self, envelope: Envelope) -> None:
        """Tell a join that nobody here waited for, or whose notification was lost; once."""
        seq = envelope.durable_seq
        if (envelope.topic, seq) in self._joined:
            return
        topic = self._heard(envelope.topic)
        if topic is not None and seq > topic.delivered:
            topic.expect(seq)  # it will be told in its turn
            self._catch_up.chase(topic)
        else:
            self._admit(envelope, Frame(envelope.frame), topic)

    async def _fetch_join(self, head: Head) -> None:
        """Read the event of a head by which somebody here joins a topic that nobody here listens to."""
        events = await self._reader.read(
            head.topic, head.seq - 1, limit=1, is_wanted=lambda: bool(self._seats.of_users(head.joins))
        )
        if events and events[0].seq == head.seq:
            self.join(events[0])

    # -- topics; some of it for catch_up

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that somebody here listens to."""
        return self._topics

    @property
    def users(self) -> Collection[int]:
        """The users that are connected here."""
        return self._seats.users()

    def drop_silent_topics(self) -> None:
        """Forget the topics that nobody listens to any more."""
        for name in [name for name, topic in self._topics.items() if topic.is_empty]:
            del self._topics[name]

    def forget_joins(self, before: float) -> None:
        """Forget the joins told before this time of the loop's clock."""
        for key in [key for key, told_at in self._joined.items() if told_at < before]:
            del self._joined[key]

    def lose(self, topic: Topic) -> None:
        """End the connections that listen to a topic of which events are gone.

        Among those may be one that ends a right. They come back, are checked again, and learn by `reset` that
        they have to start anew.
        """
        for receiver in (*topic.live, *topic.ahead, *topic.replays):
            self._leave(topic, receiver)
            receiver.close(CloseCode.RESTART, CHECK_AGAIN)
        topic.settle()
        if self._topics.get(topic.name) is topic:
            del self._topics[topic.name]

    def _heard(self, name: str) -> Topic | None:
        """The topic, if somebody listens to it. A silent one is forgotten: nobody kept it up to date."""
        topic = self._topics.get(name)
        if topic is not None and topic.is_empty:
            del self._topics[name]
            return None
        return topic

    def _open(self, name: str, *, at: int) -> Topic:
        """A new topic; what passed since the look that gave `at` is found by comparing it soon."""
        topic = self._topics[name] = Topic(name, at=at)
        self._catch_up.check_soon(topic)
        return topic

    def _enter(
        self, topic: Topic, seat: Seat, *, position: int, admitted: int, reset: Frame | None = None
    ) -> None:
        seat.topics.add(topic.name)
        entry = Entry(seat.receiver, user_id=seat.user_id, position=position, admitted=admitted, reset=reset)
        if topic.enter(entry):
            self._tasks.spawn(
                replay(topic, entry, self._reader, leave=self._leave), name=f"replay of {topic.name}"
            )

    def _leave(self, topic: Topic, receiver: Receiver) -> None:
        topic.leave(receiver)
        seat = self._seats.get(receiver)
        if seat is not None:
            seat.topics.discard(topic.name)
