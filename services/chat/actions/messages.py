"""Saying something, pinning it, and reading what was said."""

from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from orm import Conflict, Invalid, Place, RecordNotFound
from services.chat.app import ChatService
from services.chat.events import MessagePinned, NewMessageEvent
from services.chat.models import ChatMember, ChatMessage
from services.chat.rules import check_body, require, require_open
from services.chat.schemas import MessageList, MessageView, PinnedList
from services.chat.stream import lock_chat, lock_chat_to_post, no_such_chat
from sql import statements

_SQL: Final = statements("chat/messages")
_BODY: Final = ChatMessage.__fields__["body"]
_NONCE: Final = ChatMessage.__fields__["nonce"]
_BEYOND_ALL_IDS: Final = 2**63 - 1


class Posted(msgspec.Struct, frozen=True):
    """A message that is stored, the seq of the event that told of it, and whether it was this call that
    posted it.
    """

    message: MessageView
    seq: int
    is_new: bool


async def post_message(
    chat_id: int, author_id: int, body: str, *, reply_to_id: int | None = None, nonce: str | None = None
) -> Posted:
    """A new message; it also moves the author's own watermark. A nonce that he used in this chat before gives
    that first message, and nothing happens.

    Raises Invalid (body, reply), RecordNotFound, AccessDenied, Conflict (archived).
    """
    env = current_environment()
    check_body(body, max_chars=env.service(ChatService).settings.max_body_chars)
    body, nonce = _BODY.to_column(body), _NONCE.to_column(nonce)
    async with env.db.transaction():
        turn = await lock_chat_to_post(chat_id, author_id)
        message = MessageView(
            id=turn.message_id,
            chat_id=chat_id,
            author_id=author_id,
            body=body,
            reply_to_id=reply_to_id,
            pinned=False,
            created_at=turn.at,
        )
        frame = turn.frame(NewMessageEvent(message=message))
        outcome = await env.db.fetchrow(
            _SQL["post"],
            *(
                chat_id,
                author_id,
                turn.message_id,
                body,
                turn.at,
                reply_to_id,
                nonce,
                turn.seq,
                frame.decode(),
            ),
        )
        if outcome is None:
            raise no_such_chat(chat_id)
        first_id, may_write, archived, has_reply_to = outcome
        if first_id is None:
            require("can_write", may_write)
            require_open(archived=archived)
            if not has_reply_to:
                raise _no_message_to_reply_to(reply_to_id)
            turn.announce(frame)
            return Posted(message, turn.seq, True)
    row = await _one(chat_id, first_id)
    return Posted(message_view(row), row["seq"], False)


async def pin_message(chat_id: int, user_id: int, message_id: int, pinned: bool) -> None:
    """The message is pinned, or not. Nothing happens where it was so already.

    Raises RecordNotFound (chat, message of this chat), AccessDenied, Conflict (deleted, archived).
    """
    db = current_environment().db
    async with db.transaction():
        turn = await lock_chat(chat_id, user_id)
        frame = turn.frame(MessagePinned(message_id=message_id, pinned=pinned, user_id=user_id))
        outcome = await db.fetchrow(
            _SQL["pin"], chat_id, user_id, message_id, pinned, turn.seq, frame.decode(), turn.at
        )
        if outcome is None:
            raise no_such_chat(chat_id)
        may_pin, archived, has_message, is_deleted, is_done = outcome
        require("can_pin", may_pin)
        if not has_message:
            raise no_such_message(chat_id, message_id)
        require_open(archived=archived)
        if is_deleted:
            raise Conflict("This message was deleted.")
        if not is_done:
            turn.announce(frame)


async def list_messages(
    chat_id: int, user_id: int, *, before: int | None = None, after: int | None = None, limit: int
) -> MessageList:
    """At most `limit` messages, newest first; `before` and `after` are ids, themselves excluded.

    They are the newest before `before` (of all, without it); with `after` alone, those that follow it.
    Raises RecordNotFound, AccessDenied.
    """
    await ChatMember.check_can_read(chat_id, user_id)
    db = current_environment().db
    is_forward = after is not None and before is None
    if is_forward:
        rows = await db.fetch(_SQL["following"], chat_id, after, limit + 1)
    else:
        rows = await db.fetch(_SQL["newest"], chat_id, after or 0, before or _BEYOND_ALL_IDS, limit + 1)
    page = [message_view(row) for row in rows[:limit]]
    following = page[-1].id if len(rows) > limit else None
    return MessageList(page[::-1] if is_forward else page, following)


async def list_pinned(chat_id: int, user_id: int) -> PinnedList:
    """The pinned messages, newest first. Raises RecordNotFound, AccessDenied."""
    await ChatMember.check_can_read(chat_id, user_id)
    rows = await current_environment().db.fetch(_SQL["pinned"], chat_id)
    return PinnedList([message_view(row) for row in rows])


def message_view(row: Any) -> MessageView:
    """The shape of a row of a message, columns by name."""
    return MessageView(
        id=row["id"],
        chat_id=row["chat_id"],
        author_id=row["author_id"],
        body=row["body"],
        reply_to_id=row["reply_to_id"],
        pinned=row["pinned"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
    )


def no_such_message(chat_id: int, message_id: int) -> RecordNotFound:
    """What is said of a message that is not in the chat, wherever else it may be."""
    return RecordNotFound(f"There is no message {message_id} in chat {chat_id}.")


async def _one(chat_id: int, message_id: int) -> Any:
    row = await current_environment().db.fetchrow(_SQL["one"], chat_id, message_id)
    if row is None:
        raise no_such_message(chat_id, message_id)
    return row


def _no_message_to_reply_to(reply_to_id: int | None) -> Invalid:
    sentence = f"There is no message {reply_to_id} in this chat to reply to."
    return Invalid(sentence, errors=[Place("/reply_to_id", "not_found", sentence)])
