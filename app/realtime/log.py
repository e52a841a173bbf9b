"""What the hub asks of the application: the events of a topic as they are stored."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from app.realtime.events import Envelope


class EventLog(Protocol):
    """The stored events.

    Read them on the primary database: the answer of a replica that lags looks as if events were lost. A
    durable event is visible here before its envelope is published. Any method may raise while the log cannot
    be read: the hub tries again, and nothing is skipped.
    """

    async def heads(self, topics: Collection[str]) -> Mapping[str, int]:
        """The highest seq of each of these topics, in one statement.

        0 for a topic without events; one that is gone is absent.
        """

    async def read(self, topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        """Events with a seq greater than `after_seq`, ascending and without gaps, at most `limit`.

        The first is `after_seq + 1` unless that is not kept any longer: then it is the oldest that is kept.
        """

    async def joins(self, user_ids: Collection[int], within_seconds: float) -> Sequence[Envelope]:
        """Events of the last `within_seconds` whose `joins` name one of these users.

        They ascend within a topic. It finds a join whose notification was lost, for users that have no
        subscription to its topic yet.
        """

    def caught_up(self, events: int) -> None:
        """So many events had to be read because no word of them came in time: for a log that counts."""
        del events  # this one does not
