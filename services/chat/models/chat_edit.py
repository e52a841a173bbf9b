"""What a message said before it was edited."""

import datetime

from orm import BigInteger, Datetime, DotModel, Many2one, Ref, Text
from services.chat.models.chat_message import ChatMessage


class ChatEdit(DotModel):
    """A row of `chat_edits`: one version of a message that another one took the place of."""

    __table__ = "chat_edits"
    __auto_crud__ = False

    message_id: Ref["ChatMessage"] = Many2one(ChatMessage, required=True, ondelete="cascade")
    body: str = Text(required=True)
    written_at: datetime.datetime = Datetime(required=True, description="Since when the message said so")
    seq: int = BigInteger(required=True, description="Number of the event that told of the edit")
