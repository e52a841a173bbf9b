"""The stored events, as the realtime hub reads them; and the topic that a chat is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from app.realtime import Envelope, EventLog
from orm import Database
from sql import statements

_SQL: Final = statements("chat/events")
TOPIC: Final = "chat"
"""The kind of the topics of chats."""

_PREFIX: Final = f"{TOPIC}:"

_decode_ids: Final = msgspec.json.Decoder(tuple[int, ...]).decode


def topic_of(chat_id: int) -> str:
    """The topic under which the events of a chat travel."""
    return f"{_PREFIX}{chat_id}"


def chat_of(topic: str) -> int:
    """The chat of a topic. Raises ValueError for one that is none of ours."""
    if not topic.startswith(_PREFIX):
        raise ValueError(f"{topic!r} is not the topic of a chat")
    return int(topic.removeprefix(_PREFIX))


class ChatEventLog(EventLog):
    """The table `chat_events`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def heads(self, topics: Collection[str]) -> Mapping[str, int]:
        """See EventLog."""
        rows = await self._db.fetch(_SQL["heads"], [chat_of(topic) for topic in topics])
        return {topic_of(chat_id): last_seq for chat_id, last_seq in rows}

    async def read(self, topic: str, after_seq: int, limit: int) -> Sequence[Envelope]:
        """See EventLog."""
        rows = await self._db.fetch(_SQL["after"], chat_of(topic), after_seq, limit)
        return [_envelope(topic, row) for row in rows]

    async def joins(self, user_ids: Collection[int], within_seconds: float) -> Sequence[Envelope]:
        """See EventLog. A user who was removed meanwhile does not join."""
        rows = await self._db.fetch(_SQL["recent_joins"], list(user_ids), within_seconds)
        return [_envelope(topic_of(chat_id), row) for chat_id, *row in rows]


def _envelope(topic: str, row: Iterable[Any]) -> Envelope:
    seq, frame, ends, joins = row
    return Envelope(topic, seq, frame.encode(), _decode_ids(ends), _decode_ids(joins))
