"""The events of a chat, as its readers get them.

An event says what happened; its place in the stream (`chat_id`, `seq`, `at`) is added when it gets one. It is
encoded once, and the same text goes into the log, to every process and to every reader.
"""

import datetime
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.http import json
from orm import UsageError
from services.chat.schemas import ChatCard, MemberView, MessageView, ReactionView

EPHEMERAL: Final = frozenset({"typing", "presence"})
"""Types that are told to whoever listens, and not kept."""

_PLACE: Final = ("chat_id", "seq", "at")


class Event(msgspec.Struct, kw_only=True, tag_field="type"):
    """Base of the events: `type` in the JSON is the tag."""


class NewMessageEvent(Event, tag="new_message"):
    """A message was posted."""

    message: MessageView


class MessageEdited(Event, tag="message_edited"):
    """A message says something else now."""

    message: MessageView


class MessageDeleted(Event, tag="message_deleted"):
    """A message says nothing any more: no body, no reactions, not pinned."""

    message_id: int


class MessagePinned(Event, tag="message_pinned"):
    """A message was pinned or unpinned by `user_id`."""

    message_id: int
    pinned: bool
    user_id: int


class ReactionUpdate(Event, tag="reaction_update"):
    """These are all reactions to a message now."""

    message_id: int
    reactions: tuple[ReactionView, ...]


class MessagesRead(Event, tag="messages_read"):
    """A member has read everything up to a message."""

    user_id: int
    message_id: int


class MemberAdded(Event, tag="member_added"):
    """Somebody is a member now."""

    member: MemberView


class MemberUpdated(Event, tag="member_updated"):
    """A member may do more now, or less."""

    member: MemberView


class MemberRemoved(Event, tag="member_removed"):
    """Somebody is no member any more: he left, or was removed."""

    user_id: int


class ChatUpdated(Event, tag="chat_updated"):
    """The chat is called, described or archived differently."""

    chat: ChatCard


class Typing(Event, tag="typing"):
    """A member is typing. Ephemeral."""

    user_id: int


class Presence(Event, tag="presence"):
    """A member has come online, or has gone. Ephemeral."""

    user_id: int
    online: bool


EventLike = Event | Mapping[str, Any]
"""An event of this module, or a mapping with a `type`: other modules may have events of their own."""


def event_type(event: EventLike) -> str:
    """The `type` that the JSON of the event has. Raises UsageError for a mapping without one."""
    kind = event.get("type") if isinstance(event, Mapping) else event.__struct_config__.tag
    if not isinstance(kind, str) or not kind:
        raise UsageError(f'an event has a type, as in {{"type": "chat_updated"}}; this one has {kind!r}')
    return kind


def durable_frame(event: EventLike, *, chat_id: int, seq: int, at: datetime.datetime) -> bytes:
    """The JSON of an event at its place in the stream of a chat."""
    return _joined(event, b'"chat_id":%d,"seq":%d,"at":%s' % (chat_id, seq, json.encode(at)))


_PostedRest: Final = msgspec.defstruct(
    "PostedRest",
    [
        (
            one.encode_name,
            one.type,
            msgspec.field(default=one.default) if not one.required else msgspec.field(),
        )
        for one in msgspec.structs.fields(MessageView)
        if one.name not in ("id", "created_at")
    ],
    kw_only=True,
)


def posted_rest(chat_id: int, author_id: int, body: str, reply_to_id: int | None) -> str:
    """The JSON of a message that is about to be posted, but for what is found out then: all that follows its
    id and its time."""
    rest = _PostedRest(chat_id=chat_id, author_id=author_id, body=body, reply_to_id=reply_to_id, pinned=False)
    return json.encode(rest)[1:].decode()


def posted_frame(rest: str, *, chat_id: int, message_id: int, seq: int, at: datetime.datetime) -> bytes:
    """The frame of that message, letter by letter what the database has put into the log
    (sql/chat/posting.sql)."""
    at_text = at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    message = f'"message":{{"id":{message_id},"created_at":"{at_text}",{rest}'
    return f'{{"type":"new_message",{message},"chat_id":{chat_id},"seq":{seq},"at":"{at_text}"}}'.encode()


def ephemeral_frame(event: EventLike, *, chat_id: int) -> bytes:
    """The JSON of an event that has a chat and no place in its stream."""
    return _joined(event, b'"chat_id":%d' % chat_id)


def plain_frame(event: EventLike) -> bytes:
    """The JSON of an event that belongs to no chat."""
    event_type(event)
    return json.encode(event)


def _joined(event: EventLike, place: bytes) -> bytes:
    """One JSON object of two: an event is never an empty one, it has a type."""
    event_type(event)
    if isinstance(event, Mapping):
        event = {name: value for name, value in event.items() if name not in _PLACE}
    return b"%s,%s}" % (json.encode(event)[:-1], place)
