"""The logs of several modules as one: which of them has the events of a topic is told by the topic's kind."""

from collections.abc import Collection, Mapping, Sequence

from app.realtime.events import Envelope
from app.realtime.log import EventLog


def kind_of(topic: str) -> str:
    """What stands before the colon: "chat" of "chat:7"."""
    return topic.partition(":")[0]


class EventLogs(EventLog):
    """A log for each kind of topic; a kind without one has no durable events."""

    def __init__(self, logs: Mapping[str, EventLog]) -> None:
        self._logs = dict(logs)
        self.events_caught_up = 0

    def add(self, kind: str, log: EventLog) -> None:
        """From now on `log` has the events of the topics of this kind. Raises ValueError if another has."""
        if kind in self._logs:
            raise ValueError(f"there is a log for topics {kind}:... already")
        self._logs[kind] = log

    async def heads(self, topics: Collection[str]) -> Mapping[str, int]:
        """See EventLog. One statement for each kind."""
        found: dict[str, int] = {}
        for kind, log in self._logs.items():
            if of_kind := [topic for topic in topics if kind_of(topic) == kind]:
                found |= await log.heads(of_kind)
        return found

    async def read(self, topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        """See EventLog."""
        log = self._logs.get(kind_of(topic))
        return await log.read(topic, after_seq, limit) if log is not None else ()

    async def joins(self, user_ids: Collection[int], within_seconds: float) -> Sequence[Envelope]:
        """See EventLog. One statement for each kind."""
        return [one for log in self._logs.values() for one in await log.joins(user_ids, within_seconds)]

    def caught_up(self, events: int) -> None:
        """See EventLog. It is counted here."""
        self.events_caught_up += events
