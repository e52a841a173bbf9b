"""Who listens in this process, and telling them: each event of a topic once, in order, without a gap.

What comes from the broker may be doubled, swapped or missing. An event is told when its turn in its topic has
come (`teller`); gaps are closed from the log (`catch_up`), a subscriber that resumes reads the log at its own
pace (`replay`), and nothing is asked for each receiver. Everything here runs in one thread and, apart from
`stop`, without waiting.
"""

from collections.abc import Mapping
from typing import Final

from app.realtime.close_codes import CloseCode
from app.realtime.events import Frame, Message
from app.realtime.hub_numbers import HubNumbers
from app.realtime.inbox import MAX_WAITING, Inbox
from app.realtime.listeners import Callback, GapCallback, Listening
from app.realtime.log import EventLog
from app.realtime.rooms import Rooms
from app.realtime.seats import Seats, UserWatch
from app.realtime.tasks import Tasks
from app.realtime.teller import Teller
from app.realtime.topic import Receiver, Topic

SWEEP_SECONDS: Final = 1.5
PATIENCE_SECONDS: Final = 0.01  # some times what lies between two notifiers, and still unnoticed by a reader


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
        self.numbers = HubNumbers()
        self._tasks = Tasks()
        self._seats = Seats()
        self._rooms = Rooms(self._seats, log, self._tasks, self.numbers)
        self._teller = Teller(
            self._seats,
            self._rooms,
            log,
            self._tasks,
            self.numbers,
            sweep_seconds=sweep_seconds,
            patience_seconds=patience_seconds,
        )
        self._inbox = Inbox(self._teller.tell, max_waiting=max_waiting)
        self._is_draining = False

    async def start(self) -> None:
        """Begin to sweep."""
        self._tasks.spawn(self._teller.catch_up.run(), name="sweep of the event log")

    async def stop(self) -> None:
        """End all background work; what arrives from now on is dropped.

        May be called twice, and without `start`.
        """
        self._inbox.close()
        await self._tasks.stop()

    def health(self) -> str | None:
        """None when nobody here waits for an event that exists; else a sentence for the readiness check."""
        return self._teller.catch_up.health()

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
            self.numbers.cut += receiver.closed_with is CloseCode.SLOW
            self.numbers.dropped += receiver.dropped

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
        topic = self._rooms.heard(name) or self._rooms.open(name, at=seq)
        topic.expect(seq)
        self._rooms.enter(topic, seat, position=position, admitted=seq, reset=reset_frame)
        self._teller.catch_up.chase(topic)

    def unsubscribe(self, receiver: Receiver, name: str) -> None:
        """End a subscription, if there is one."""
        topic = self._rooms.get(name)
        if topic is not None:
            self._rooms.leave(topic, receiver)

    # -- for the code of this process

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that somebody here listens to."""
        return self._rooms.topics

    def subscribers(self, name: str) -> frozenset[int]:
        """The users that have a subscription to a topic here."""
        return self._rooms.subscribers(name)

    def listen(self, topic: str, callback: Callback, on_gap: GapCallback | None = None) -> Listening:
        """Call `callback` with the frame of each ephemeral event of a topic, and `on_gap` whenever some may
        have been missed; both return at once. `stop()` of what comes back ends it.
        """
        return self._teller.listeners.add(topic, callback, on_gap)

    def watch_users(self, watch: UserWatch) -> None:
        """Call `watch` with each user whose first connection here comes (True), or whose last one goes."""
        self._seats.watch(watch)

    def tell_here(self, name: str, frame: bytes, *, besides: int) -> int:
        """Tell the subscribers of a topic in this process something that does no harm when it is missed; how
        many were told. Not the user `besides`, nor connections that are behind.
        """
        return self._teller.tell_here(name, frame, besides=besides)

    # -- what the broker calls

    def receive(self, message: Message) -> None:
        """Take a message of the broker; it is told soon, in the order of arrival."""
        if not self._inbox.put(message):
            self.gap()

    def gap(self) -> None:
        """Note that messages may have been missed: all topics are compared with the log at once."""
        self._teller.catch_up.gap()
        self._teller.listeners.gap()
