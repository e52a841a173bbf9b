"""Telling that somebody is typing."""

from typing import Final

from app.core.environment import current_environment
from services.chat.errors import no_such_chat
from services.chat.events import Typing
from services.chat.manager import chat_manager
from services.chat.records import check_record
from services.chat.rules import require, require_open
from sql import statements

_SQL: Final = statements("chat/members")


async def tell_typing(chat_id: int, user_id: int) -> None:
    """Whoever listens to the chat is told that the user is typing. Nothing says when he ceases: who shows it
    forgets it after a few seconds, so that a client that is gone types no more.

    Raises RecordNotFound, AccessDenied, Conflict (archived).
    """
    row = await current_environment().db.fetchrow(_SQL["writer"], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    await check_record(chat_id, row["res_model"], row["res_id"])
    require("can_write", row["may_write"])
    require_open(archived=row["archived"])
    await chat_manager.send_to_chat(chat_id, Typing(user_id=user_id))
