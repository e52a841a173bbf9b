"""What waits to be sent to the other processes: bounded, and never without a trace of what is durable."""

from collections.abc import Iterable
from typing import Final

from app.realtime.broker.wire import Gap, Outgoing
from app.realtime.events import Envelope, Head, Message

MAX_MESSAGES: Final = 20_000
MAX_BYTES: Final = 4 << 20  # a few seconds of a busy process; what waits longer is better read in the log
MAX_HEADS: Final = 10_000


class Outbox:
    """Messages in order, up to a bound; past it their heads; past that only that something was lost."""

    def __init__(
        self, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES, max_heads: int = MAX_HEADS
    ) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._max_heads = max_heads
        self._messages: list[Message] = []
        self._bytes = 0
        self._heads: dict[str, Head] = {}
        self._joins: list[Head] = []
        self._has_gap = False

    def __len__(self) -> int:
        """How much waits: events, and heads that took the place of some."""
        return len(self._messages) + len(self._heads) + len(self._joins) + self._has_gap

    def put(self, envelope: Envelope) -> None:
        """Add an event. If there is no room, all that waits is cut down to heads first."""
        size = len(envelope.frame)
        if len(self._messages) >= self._max_messages or self._bytes + size > self._max_bytes:
            self.cut()
        self._messages.append(envelope)
        self._bytes += size

    def take(self) -> list[Outgoing]:
        """All that waits, in order; nothing waits afterwards."""
        taken: list[Outgoing] = [Gap()] if self._has_gap else []
        taken += self._joins
        taken += self._heads.values()
        taken += self._messages
        self._messages, self._bytes = [], 0
        self._heads, self._joins, self._has_gap = {}, [], False
        return taken

    def put_back(self, messages: Iterable[Outgoing]) -> None:
        """Keep the heads of messages that could not be sent, or of which nobody knows whether they were."""
        for message in messages:
            self._keep_head(message)

    def cut(self) -> None:
        """Reduce all that waits to heads; ephemeral events are gone."""
        messages, self._messages, self._bytes = self._messages, [], 0
        for message in messages:
            self._keep_head(message)

    def _keep_head(self, message: Outgoing) -> None:
        if isinstance(message, Gap):
            self._has_gap = True
        elif message.seq is not None and not self._has_gap:
            head = Head(message.topic, message.seq, message.joins)
            if head.joins:
                self._joins.append(head)
            elif head.topic not in self._heads or self._heads[head.topic].seq < head.seq:
                self._heads[head.topic] = head
        if self._has_gap or len(self._heads) + len(self._joins) > self._max_heads:
            self._heads, self._joins, self._has_gap = {}, [], True
