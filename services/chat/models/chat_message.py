"""Something said in a chat."""

import datetime
from typing import TYPE_CHECKING

from orm import BigInteger, Boolean, Char, Datetime, DotModel, Many2one, Ref, Text, utc_now
from services.chat.models.chat import Chat

if TYPE_CHECKING:
    from services.users.models.user import User


class ChatMessage(DotModel):
    """A row of `chat_messages`. Within a chat the ids ascend in the order of the events that told of them."""

    __table__ = "chat_messages"
    __auto_crud__ = "read"
    __written_at__ = "/chats"
    # One author's nonces of one chat; and the history by id, of all messages and of the few that are pinned.
    __unique__ = (("chat_id", "author_id", "nonce"),)
    __indexes__ = (("chat_id", "id"), ("chat_id", "pinned", "id"))

    chat_id: Ref["Chat"] = Many2one(Chat, required=True, ondelete="cascade")
    author_id: Ref["User"] = Many2one("users", required=True, ondelete="restrict")
    body: str = Text(required=True)
    reply_to_id: Ref["ChatMessage"] | None = Many2one(lambda: ChatMessage, ondelete="set null")
    pinned: bool = Boolean(default=False)
    nonce: str | None = Char(
        max_length=128,
        private=True,
        description="Chosen by the author: the same one again is the same message",
    )
    seq: int = BigInteger(required=True, private=True, description="Number of the event that told of it")
    created_at: datetime.datetime = Datetime(default=utc_now, readonly=True)
    edited_at: datetime.datetime | None = Datetime(readonly=True)
    deleted_at: datetime.datetime | None = Datetime(readonly=True)
