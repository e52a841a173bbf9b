"""A message that somebody is about to do something with, and what he may."""

from typing import Final

import msgspec

from app.core.environment import current_environment
from services.chat.errors import no_such_chat, no_such_message
from services.chat.rows import message_view
from services.chat.schemas import MessageView
from sql import statements

_SQL: Final = statements("chat/messages")


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """`found` is None when the message is not in the chat; whether he may know that is for the caller."""

    chat_id: int
    message_id: int
    may_read: bool
    may_write: bool
    may_delete_others: bool
    archived: bool
    found: MessageView | None

    @property
    def message(self) -> MessageView:
        """The message. Raises RecordNotFound when it is not in the chat."""
        if self.found is None:
            raise no_such_message(self.chat_id, self.message_id)
        return self.found

    @property
    def is_deleted(self) -> bool:
        """Whether it says nothing any more."""
        return self.message.deleted_at is not None


async def touch(chat_id: int, user_id: int, message_id: int) -> Touched:
    """The message as it is now; in a locked chat it stays so. Raises RecordNotFound for one who is no
    member.
    """
    row = await current_environment().db.fetchrow(_SQL["touched"], chat_id, user_id, message_id)
    if row is None:
        raise no_such_chat(chat_id)
    return Touched(
        chat_id=chat_id,
        message_id=message_id,
        may_read=row["may_read"],
        may_write=row["may_write"],
        may_delete_others=row["may_delete_others"],
        archived=row["archived"],
        found=message_view(row) if row["id"] is not None else None,
    )
