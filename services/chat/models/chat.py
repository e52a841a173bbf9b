"""A chat: what it is called, and where its stream of events stands."""

import datetime
from typing import TYPE_CHECKING

from orm import (
    BigInteger,
    Boolean,
    Char,
    Datetime,
    DotModel,
    Index,
    Many2one,
    One2many,
    Ref,
    Selection,
    Text,
    utc_now,
)
from services.chat.rules import MAX_NAME_CHARS

if TYPE_CHECKING:
    from services.chat.models.chat_member import ChatMember
    from services.users.models.user import User


class Chat(DotModel):
    """A row of `chats`. Whoever changes anything in a chat locks this row first (see
    services/chat/stream.py).
    """

    __table__ = "chats"
    __auto_crud__ = "read"
    __written_at__ = "/chats"
    __indexes__ = (Index(["res_model", "res_id"], where=[["res_model", "is not null", None]], unique=True),)

    members: list["ChatMember"] = One2many("chat_members", "chat_id")
    name: str = Char(max_length=MAX_NAME_CHARS, default="", description="Empty for a chat that nobody named")
    chat_type: str = Selection(
        options=[("direct", "Direct"), ("group", "Group"), ("channel", "Channel"), ("record", "Record")],
        required=True,
    )
    description: str | None = Text(max_length=4000)
    archived: bool = Boolean(default=False)
    creator_id: Ref["User"] = Many2one("users", required=True, ondelete="restrict")
    created_at: datetime.datetime = Datetime(default=utc_now, readonly=True)
    last_seq: int = BigInteger(default=0, readonly=True, description="Number of the latest event")
    last_message_id: int | None = BigInteger(
        readonly=True, private=True, description="The latest message; no foreign key: it is written before it"
    )
    active_at: datetime.datetime = Datetime(
        default=utc_now, readonly=True, private=True, description="Time of the latest message, or of creation"
    )
    direct_key: str | None = Char(
        max_length=41, unique=True, readonly=True, private=True, description="The pair of a direct chat"
    )
    message_count: int = BigInteger(
        default=0, required=True, readonly=True, private=True, description="Messages so far, deleted ones too"
    )
    res_model: str | None = Char(
        max_length=63, readonly=True, description="The table of the record that a record chat is about"
    )
    res_id: int | None = BigInteger(readonly=True, description="The id of that record")
    gone_at: datetime.datetime | None = Datetime(
        readonly=True, private=True, description="Nobody is in it any more since then: it is being removed"
    )
