"""Something said in a chat."""

import datetime
from typing import TYPE_CHECKING, Any

from orm import (
    BigInteger,
    Boolean,
    Char,
    Datetime,
    DotModel,
    Index,
    JSONField,
    Many2one,
    Ref,
    Text,
    utc_now,
)
from services.chat.models.chat import Chat
from services.chat.models.words import Words

if TYPE_CHECKING:
    from services.users.models.user import User


class ChatMessage(DotModel):
    """A row of `chat_messages`. Within a chat the ids ascend in the order of the events that told of them.

    A row holds all that a message shows, also who reacted and who is mentioned: it is read far more often
    than anybody reacts. A message that was deleted keeps its place and nothing that was said.
    """

    __table__ = "chat_messages"
    __auto_crud__ = "read"
    __written_at__ = "/chats"
    # One author's nonces of one chat; the history by id, of all messages, the few that are pinned, and the
    # few that were deleted. What finds words is in sql/chat/search.sql.
    __unique__ = (("chat_id", "author_id", "nonce"),)
    __indexes__ = (
        ("chat_id", "id"),
        Index(["chat_id", "id"], where=[["pinned", "=", True]]),
        Index(["chat_id", "id"], where=[["deleted_at", "is not null", None]]),
    )

    chat_id: Ref["Chat"] = Many2one(Chat, required=True, ondelete="cascade")
    author_id: Ref["User"] = Many2one("users", required=True, ondelete="restrict")
    body: str = Text(required=True)
    reply_to_id: Ref["ChatMessage"] | None = Many2one(lambda: ChatMessage, ondelete="set null")
    forwarded_from_id: int | None = BigInteger(
        readonly=True, description="The message that this is a copy of, in whatever chat; it may be gone"
    )
    pinned: bool = Boolean(default=False)
    nonce: str | None = Char(
        max_length=128,
        private=True,
        description="Chosen by the author: the same one again is the same message",
    )
    seq: int = BigInteger(required=True, private=True, description="Number of the event that told of it")
    number: int = BigInteger(
        default=0, required=True, private=True, description="How many messages the chat has up to this one"
    )
    reactions: Any = JSONField(
        default=(),
        required=True,
        readonly=True,
        description="Who reacted: emoji and user_ids, first used first",
    )
    mentions: Any = JSONField(
        default=(), required=True, readonly=True, description="The members that it names by @login: their ids"
    )
    created_at: datetime.datetime = Datetime(default=utc_now, readonly=True)
    edited_at: datetime.datetime | None = Datetime(readonly=True)
    deleted_at: datetime.datetime | None = Datetime(readonly=True)
    # The configuration `russian` takes words in Latin letters for English ones. 65,536 characters, because a
    # tsvector has at most a megabyte. '#' and the id of the chat are one more word: see sql/chat/search.sql.
    words: str | None = Words(
        sql="to_tsvector('russian'::regconfig, left(body, 65536)) || array_to_tsvector(ARRAY['#' || chat_id])"
    )
