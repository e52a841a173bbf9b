"""What happened in a chat, as its readers are told."""

import datetime
from typing import Any

from orm import BigInteger, Char, Datetime, DotModel, JSONField, Many2one, Ref, Text, utc_now
from services.chat.models.chat import Chat


class ChatEvent(DotModel):
    """A row of `chat_events`, the log that realtime delivery and resuming clients read; not for the API.

    `frame` is the finished JSON text. `ends` and `joins` are lists of user ids: whose subscriptions end by
    the event, and who learns by it that he is a member now.
    """

    __table__ = "chat_events"
    __auto_crud__ = False
    __unique__ = (("chat_id", "seq"),)

    chat_id: Ref["Chat"] = Many2one(Chat, required=True, ondelete="cascade")
    seq: int = BigInteger(required=True)
    type: str = Char(max_length=40, required=True)
    frame: str = Text(required=True)
    ends: Any = JSONField(required=True, default=list)
    joins: Any = JSONField(required=True, default=list)
    at: datetime.datetime = Datetime(required=True, default=utc_now)
