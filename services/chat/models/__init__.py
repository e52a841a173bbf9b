"""The tables of the chat."""

from services.chat.models.chat import Chat
from services.chat.models.chat_edit import ChatEdit
from services.chat.models.chat_event import ChatEvent
from services.chat.models.chat_member import ChatMember
from services.chat.models.chat_mention import ChatMention
from services.chat.models.chat_message import ChatMessage

__all__ = ["Chat", "ChatEdit", "ChatEvent", "ChatMember", "ChatMention", "ChatMessage"]
