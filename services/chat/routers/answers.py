"""What several routes of the chat answer alike, and read alike."""

import msgspec
from msgspec import UNSET

from app.http.replies import Reply
from services.chat.actions import Created
from services.chat.schemas import ChatView


def created_reply(created: Created) -> Reply[ChatView]:
    """The answer to a request for a chat: with its address when it was made now, else 200."""
    if not created.is_new:
        return Reply(created.chat, status=200)
    return Reply(created.chat, headers={"Location": f"/chats/{created.chat.id}"})


def named(body: msgspec.Struct) -> dict[str, object]:
    """The fields of a body that were named in it."""
    values = msgspec.structs.asdict(body)
    return {name: value for name, value in values.items() if value is not UNSET}
