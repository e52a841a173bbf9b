"""How far a member has read."""

from typing import Final

from app.core.environment import current_environment
from services.chat.errors import no_such_chat, no_such_message
from services.chat.events import MessagesRead
from services.chat.rules import require
from services.chat.stream import lock_chat
from sql import statements

_SQL: Final = statements("chat/members")


async def mark_read(chat_id: int, user_id: int, message_id: int) -> None:
    """Everything up to `message_id` counts as read by the user. Nothing happens where he was as far already.

    Raises RecordNotFound (chat, message of this chat), AccessDenied.
    """
    db = current_environment().db
    async with db.transaction():
        turn = await lock_chat(chat_id, user_id)
        frame = turn.frame(MessagesRead(user_id=user_id, message_id=message_id))
        outcome = await db.fetchrow(
            _SQL["mark_read"], chat_id, user_id, message_id, turn.seq, frame.decode(), turn.at
        )
        if outcome is None:
            raise no_such_chat(chat_id)
        may_read, has_message, was_read = outcome
        require("can_read", may_read)
        if not has_message:
            raise no_such_message(chat_id, message_id)
        if not was_read:
            turn.announce(frame)
