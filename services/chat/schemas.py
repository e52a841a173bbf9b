"""What the chat says and takes over HTTP: the shapes of chats, members and messages, and the bodies of
requests.
"""

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.http.bodies import Body
from services.chat.rules import MAX_NAMED_USERS, ChatType

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Nonce = Annotated[str, Meta(min_length=1, max_length=128)]


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member. `last_read_message_id` is null as long as nothing was read."""

    user_id: int
    name: str
    is_admin: bool
    can_read: bool
    can_write: bool
    can_pin: bool
    can_invite: bool
    can_delete_others: bool
    last_read_message_id: int | None
    joined_at: datetime.datetime


class ReactionView(msgspec.Struct, frozen=True, kw_only=True):
    """Who reacted to a message with one emoji."""

    emoji: str
    user_ids: tuple[int, ...]


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message, the same for all who may read it. `body` is empty once it was deleted."""

    id: int
    chat_id: int
    author_id: int
    body: str
    reply_to_id: int | None
    forwarded_from_id: int | None = None
    pinned: bool
    created_at: datetime.datetime
    edited_at: datetime.datetime | None = None
    deleted_at: datetime.datetime | None = None
    reactions: tuple[ReactionView, ...] = ()
    mentions: tuple[int, ...] = ()


class ChatView(msgspec.Struct, frozen=True, kw_only=True):
    """A chat as one of its members sees it: `unread_count` and `last_message` are his, the rest is the same
    for all.

    `members` are in the order in which they joined. `last_message` is null in a chat without messages, and
    for a member who may not read.
    """

    id: int
    name: str
    chat_type: ChatType
    description: str | None
    archived: bool
    creator_id: int
    created_at: datetime.datetime
    last_seq: int
    members: tuple[MemberView, ...]
    unread_count: int
    mention_count: int = 0
    last_message: MessageView | None


class ChatList(msgspec.Struct, frozen=True):
    """Chats, newest message first. `next` is the `after` of the next page, null on the last one."""

    data: list[ChatView]
    next: str | None


class MessageList(msgspec.Struct, frozen=True):
    """Messages, newest first. `next` goes on in the direction asked for: it is the next `before` (or `after`,
    where only that was given); null when there are no more.
    """

    data: list[MessageView]
    next: int | None


class PinnedList(msgspec.Struct, frozen=True):
    """The pinned messages, newest first."""

    data: list[MessageView]


class EventList(msgspec.Struct, frozen=True):
    """Events after `since`, ascending. `seq` is the number of the latest event of the chat.

    `reset` is true when some of what came after `since` is not kept any longer: read the chat anew, then go
    on from `seq`.
    """

    data: list[msgspec.Raw]
    seq: int
    reset: bool


class Success(msgspec.Struct, frozen=True):
    """It is done."""

    success: Literal[True] = True


class NewChat(Body):
    """A chat to create; the asker is a member without being named."""

    chat_type: Literal["direct", "group", "channel"] = "direct"
    name: Annotated[str, Meta(max_length=255)] | None = None
    user_ids: Annotated[tuple[Id, ...], Meta(max_length=MAX_NAMED_USERS)] = ()


class NewMember(Body):
    """A user to add."""

    user_id: Id


class NewMessage(Body):
    """A message to post. The same `nonce` again, by the same author in the same chat, is the same message."""

    body: str
    reply_to_id: Id | None = None
    nonce: Nonce | None = None


class PinChange(Body):
    """Whether a message is to be pinned."""

    pinned: bool


class ReadMark(Body):
    """The message up to which everything was read."""

    message_id: Id
