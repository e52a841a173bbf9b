"""Changing what was said, taking it back, and what it said before."""

from typing import Final

from msgspec.structs import replace

from app.core.environment import current_environment
from orm import AccessDenied
from services.chat.actions.messages import checked_body, mentions_in, store_mentions, was_deleted
from services.chat.actions.touched import touch
from services.chat.events import MessageDeleted, MessageEdited
from services.chat.models import ChatMember
from services.chat.rules import require, require_open
from services.chat.schemas import MessageView, VersionList, VersionView
from services.chat.stream import Turn, id_list, lock_chat
from sql import statements

_SQL: Final = statements("chat/messages")

MAX_VERSIONS: Final = 500
"""Versions of one message that are shown, the newest of them; all are kept."""


async def edit_message(chat_id: int, user_id: int, message_id: int, body: str) -> MessageView:
    """The message, which says something else now; what it said is kept. It mentions whom it names now.
    Nothing happens where it says the same.

    Only its author may, if he may still write. Raises Invalid (body), RecordNotFound (chat, message of this
    chat), AccessDenied, Conflict (deleted, archived).
    """
    body = checked_body(body)
    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)
        touched = await touch(chat_id, user_id, message_id)
        require("can_write", touched.may_write)
        if touched.message.author_id != user_id:
            raise AccessDenied("This message is somebody else's: only its author may edit it.")
        require_open(archived=touched.archived)
        if touched.is_deleted:
            raise was_deleted()
        if touched.message.body == body:
            return touched.message
        return await _store_edit(turn, touched.message, body)


async def _store_edit(turn: Turn, before: MessageView, body: str) -> MessageView:
    mentions = await mentions_in(turn.chat_id, body)
    message = replace(before, body=body, edited_at=turn.at, mentions=mentions)
    event = turn.frame(MessageEdited(message=message))
    await current_environment().db.fetch(
        _SQL["edit"],
        *(turn.chat_id, message.id, body, turn.at, id_list(mentions), turn.seq, event.decode()),
    )
    if mentions != before.mentions:
        await store_mentions(turn.chat_id, message.id, mentions)
    turn.announce(event)
    return message


async def delete_message(chat_id: int, user_id: int, message_id: int) -> None:
    """The message keeps its place and says nothing any more: words, older versions, mentions, reactions and
    pin are gone, also from the events that are kept. Nothing happens where it was so already.

    Its author may, and who may delete messages of others. Raises RecordNotFound (chat, message of this chat),
    AccessDenied, Conflict (archived).
    """
    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)
        touched = await touch(chat_id, user_id, message_id)
        if touched.message.author_id != user_id:
            require("can_delete_others", touched.may_delete_others)
        require_open(archived=touched.archived)
        if touched.is_deleted:
            return
        event = turn.frame(MessageDeleted(message_id=message_id))
        await current_environment().db.fetch(
            _SQL["delete"], chat_id, message_id, turn.at, turn.seq, event.decode()
        )
        turn.announce(event)


async def list_versions(chat_id: int, user_id: int, message_id: int) -> VersionList:
    """What the message says and said before, newest first; nothing of one that was deleted.

    Raises RecordNotFound (chat, message of this chat), AccessDenied.
    """
    touched = await touch(chat_id, user_id, message_id)
    rows = await current_environment().db.fetch(_SQL["versions"], message_id, MAX_VERSIONS)
    await ChatMember.check_can_read(chat_id, user_id)  # last of all, see messages.py
    if touched.is_deleted:
        return VersionList([])
    message = touched.message
    now = VersionView(body=message.body, at=message.edited_at or message.created_at)
    return VersionList([now, *(VersionView(body=row["body"], at=row["written_at"]) for row in rows)])
