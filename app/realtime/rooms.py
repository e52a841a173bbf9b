"""The topics that somebody in this process listens to, and the subscriptions to them."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from app.realtime.close_codes import CloseCode
from app.realtime.events import Frame
from app.realtime.hub_numbers import HubNumbers
from app.realtime.log import EventLog
from app.realtime.reader import LogReader
from app.realtime.replay import replay
from app.realtime.seats import Seat, Seats
from app.realtime.tasks import Tasks
from app.realtime.topic import CHECK_AGAIN, Entry, Receiver, Topic

REPLAY_READS_AT_ONCE: Final = 4


class Rooms:
    """Topics by name. `on_open` is told of each new one. No waiting; replays run as tasks."""

    def __init__(self, seats: Seats, log: EventLog, tasks: Tasks, numbers: HubNumbers) -> None:
        self.reader = LogReader(log, at_once=REPLAY_READS_AT_ONCE)
        self.on_open: Callable[[Topic], None] = _nobody
        self._seats = seats
        self._tasks = tasks
        self._numbers = numbers
        self._topics: dict[str, Topic] = {}

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that somebody here listens to."""
        return self._topics

    def get(self, name: str) -> Topic | None:
        """The topic, also one that nobody listens to any more."""
        return self._topics.get(name)

    def heard(self, name: str) -> Topic | None:
        """The topic, if somebody listens to it. A silent one is forgotten: nobody kept it up to date."""
        topic = self._topics.get(name)
        if topic is not None and topic.is_empty:
            del self._topics[name]
            return None
        return topic

    def open(self, name: str, *, at: int) -> Topic:
        """A new topic; what passed since the look that gave `at` is found by comparing it soon."""
        topic = self._topics[name] = Topic(name, at=at)
        self.on_open(topic)
        return topic

    def drop_silent(self) -> None:
        """Forget the topics that nobody listens to any more."""
        for name in [name for name, topic in self._topics.items() if topic.is_empty]:
            del self._topics[name]

    def subscribers(self, name: str) -> frozenset[int]:
        """The users that have a subscription to a topic."""
        topic = self._topics.get(name)
        seats = (self._seats.get(one) for one in topic.receivers()) if topic is not None else ()
        return frozenset(seat.user_id for seat in seats if seat is not None)

    def enter(
        self, topic: Topic, seat: Seat, *, position: int, admitted: int, reset: Frame | None = None
    ) -> None:
        """Subscribe a connection that has everything up to `position`, see Entry."""
        seat.topics.add(topic.name)
        entry = Entry(seat.receiver, user_id=seat.user_id, position=position, admitted=admitted, reset=reset)
        if topic.enter(entry):
            self._tasks.spawn(
                replay(topic, entry, self.reader, self._numbers, leave=self.leave),
                name=f"replay of {topic.name}",
            )

    def leave(self, topic: Topic, receiver: Receiver) -> None:
        """End whatever subscription the connection has."""
        topic.leave(receiver)
        seat = self._seats.get(receiver)
        if seat is not None:
            seat.topics.discard(topic.name)

    def lose(self, topic: Topic) -> None:
        """End the connections that listen to a topic of which events are gone.

        Among those may be one that ends a right. They come back, are checked again, and learn by `reset` that
        they have to start anew.
        """
        for receiver in tuple(topic.receivers()):
            self.leave(topic, receiver)
            receiver.close(CloseCode.RESTART, CHECK_AGAIN)
        topic.settle()
        if self._topics.get(topic.name) is topic:
            del self._topics[topic.name]

    def users(self) -> Collection[int]:
        """The users that are connected here, whatever they listen to."""
        return self._seats.users()


def _nobody(topic: Topic) -> None:
    """Nobody is told."""
