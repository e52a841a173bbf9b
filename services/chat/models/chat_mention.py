"""Who is mentioned where, to be counted."""

from typing import TYPE_CHECKING

from orm import BigInteger, DotModel, Many2one, Ref
from services.chat.models.chat_message import ChatMessage

if TYPE_CHECKING:
    from services.users.models.user import User


class ChatMention(DotModel):
    """A row of `chat_mentions`: a message names a member. What readers see is in the message itself."""

    __table__ = "chat_mentions"
    __auto_crud__ = False
    __unique__ = (("user_id", "chat_id", "message_id"),)

    user_id: Ref["User"] = Many2one("users", required=True, ondelete="cascade")
    chat_id: int = BigInteger(required=True, description="The chat of the message")
    message_id: Ref["ChatMessage"] = Many2one(ChatMessage, required=True, ondelete="cascade")
