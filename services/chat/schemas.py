"""What the chat says and takes over HTTP: the shapes of chats, members and messages, and the bodies of
requests.
"""

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.http.bodies import Body
from services.chat.rules import MAX_NAME_CHARS, MAX_NAMED_USERS, ChatType

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


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a message said, and since when."""

    body: str
    at: datetime.datetime


class ChatCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat without what differs from member to member: what `chat_updated` tells of it.

    `res_model` and `res_id` are there for the chat of a record only.
    """

    id: int
    name: str
    chat_type: ChatType
    description: str | None
    archived: bool
    creator_id: int
    created_at: datetime.datetime
    last_seq: int
    res_model: str | None = None
    res_id: int | None = None


class ChatView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat as one of its members sees it: the counts, `pinned` and `last_message` are his, the rest is the
    same for all.

    `members` are in the order in which they joined. `unread_count` and `mention_count` are about messages
    behind his `last_read_message_id`, deleted ones left out. `last_message` is null in a chat without
    messages, and for a member who may not read. `pinned` is there only when it is true, `res_model` and
    `res_id` only for the chat of a record.
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
    mention_count: int
    last_message: MessageView | None
    pinned: bool = False
    res_model: str | None = None
    res_id: int | None = None


class ChatList(msgspec.Struct, frozen=True):
    """Chats: those that the asker has pinned, then the others, each part with the newest message first.
    `next` is the `after` of the next page, null on the last one.
    """

    data: list[ChatView]
    next: str | None


class MessageList(msgspec.Struct, frozen=True):
    """Messages, newest first. `next` goes on in the direction asked for: it is the next `before` (or `after`,
    where only that was given); null when there are no more.
    """

    data: list[MessageView]
    next: int | None


class PinnedList(msgspec.Struct, frozen=True):
    """The pinned messages, newest first, at most 500."""

    data: list[MessageView]


class VersionList(msgspec.Struct, frozen=True):
    """What a message says and said before, newest first; empty once it was deleted."""

    data: list[VersionView]


class SearchList(msgspec.Struct, frozen=True):
    """Messages found, newest first. `next` is the `before` of the next page, null on the last one."""

    data: list[MessageView]
    next: int | None


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
    name: Annotated[str, Meta(max_length=MAX_NAME_CHARS)] | None = None
    user_ids: Annotated[tuple[Id, ...], Meta(max_length=MAX_NAMED_USERS)] = ()


class ChatChange(Body):
    """What is to change of a chat; what is not named stays."""

    name: Annotated[str, Meta(max_length=MAX_NAME_CHARS)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=4000)] | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET


class NewMember(Body):
    """A user to add."""

    user_id: Id


class RightsChange(Body):
    """What is to change of a member's rights; what is not named stays."""

    is_admin: bool | UnsetType = UNSET
    can_read: bool | UnsetType = UNSET
    can_write: bool | UnsetType = UNSET
    can_pin: bool | UnsetType = UNSET
    can_invite: bool | UnsetType = UNSET
    can_delete_others: bool | UnsetType = UNSET


class NewMessage(Body):
    """A message to post. The same `nonce` again, by the same author in the same chat, is the same message."""

    body: str
    reply_to_id: Id | None = None
    nonce: Nonce | None = None


class MessageChange(Body):
    """What a message is to say."""

    body: str


class Reaction(Body):
    """An emoji; the asker's is added to the message, or taken away if it is there."""

    emoji: str


class ForwardTarget(Body):
    """The chat that a copy of a message goes to."""

    chat_id: Id


class PinChange(Body):
    """Whether a message, or a chat in the asker's own list, is to be pinned."""

    pinned: bool


class ReadMark(Body):
    """The message up to which everything was read."""

    message_id: Id
