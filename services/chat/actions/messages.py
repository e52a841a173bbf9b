"""Saying something, pinning it, and reading what was said.

Whoever reads has his right looked at after what he is shown was read: the other way round he would be shown
what was said after his removal, if that came in between.
"""

from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from orm import Conflict
from services.chat.errors import no_message_to_reply_to, no_such_chat, no_such_message
from services.chat.events import MessagePinned, NewMessageEvent, posted_frame, posted_rest
from services.chat.mentions import mentioned_ids, mentioned_logins
from services.chat.models import ChatMember, ChatMessage
from services.chat.rows import message_view
from services.chat.rules import check_body, require, require_open
from services.chat.schemas import MessageList, MessageView, PinnedList
from services.chat.service import running_chat
from services.chat.stream import PostTurn, lock_chat, lock_chat_to_post
from sql import statements

_SQL: Final = statements("chat/messages")
_POST: Final = statements("chat/posting")
_BODY: Final = ChatMessage.__fields__["body"]
_NONCE: Final = ChatMessage.__fields__["nonce"]
_BEYOND_ALL_IDS: Final = 2**63 - 1

MAX_PINNED: Final = 500
"""Pinned messages that are shown, the newest of them: nobody looks for anything among more."""


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

    Raises Invalid (body), RecordNotFound (chat, reply), AccessDenied, Conflict (archived).
    """
    body = checked_body(body)
    nonce = _NONCE.to_column(nonce)
    db = current_environment().db
    posted: Posted | int | None = None
    if not (db.in_transaction or mentioned_logins(body)):
        posted = await _post_at_once(chat_id, author_id, body, reply_to_id, nonce)
    if posted is None:
        posted = await _post_in_steps(chat_id, author_id, body, reply_to_id, nonce)
    if isinstance(posted, Posted):
        return posted
    row = await db.fetchrow(_SQL["one"], chat_id, posted)
    if row is None:
        raise no_such_message(chat_id, posted)
    return Posted(message_view(row), row["seq"], False)


async def _post_at_once(
    chat_id: int, author_id: int, body: str, reply_to_id: int | None, nonce: str | None
) -> Posted | int | None:
    """A new message, in one statement; the id of the one that had the nonce before; None in the chat of a
    record, which has to be asked about in between."""
    rest = posted_rest(chat_id, author_id, body, reply_to_id)
    [row] = await current_environment().db.fetch(
        _POST["post"], chat_id, author_id, body, reply_to_id, nonce, rest
    )
    seq, at, message_id, first_id, may_write, archived, has_reply_to, is_of_record = row
    if is_of_record:
        return None
    if seq is None:
        raise no_such_chat(chat_id)
    if message_id is None:
        return _first_or_refused(first_id, may_write, archived, has_reply_to, reply_to_id)
    frame = posted_frame(rest, chat_id=chat_id, message_id=message_id, seq=seq, at=at)
    turn = PostTurn(chat_id, seq, at, message_id)
    turn.announce(frame)
    return Posted(_new_message(turn, author_id, body, reply_to_id=reply_to_id), seq, True)


async def _post_in_steps(
    chat_id: int, author_id: int, body: str, reply_to_id: int | None, nonce: str | None
) -> Posted | int:
    async with current_environment().db.transaction():
        mentions = await mentions_in(chat_id, body)  # before the lock, which others wait for
        turn = await lock_chat_to_post(chat_id, author_id)
        message = _new_message(turn, author_id, body, reply_to_id=reply_to_id, mentions=mentions)
        first_id = await store_message(turn, message, nonce)
        return Posted(message, turn.seq, True) if first_id is None else first_id


async def forward_message(chat_id: int, user_id: int, message_id: int, target_id: int) -> MessageView:
    """A copy of a message in the chat `target_id`, in the name of the user; it mentions nobody.

    Raises RecordNotFound (chat, message of this chat, target), AccessDenied, Conflict (deleted; target
    archived).
    """
    db = current_environment().db
    source = await db.fetchrow(_SQL["one"], chat_id, message_id)
    await ChatMember.check_can_read(chat_id, user_id)
    if source is None:
        raise no_such_message(chat_id, message_id)
    if source["deleted_at"] is not None:
        raise was_deleted()
    async with db.transaction():
        turn = await lock_chat_to_post(target_id, user_id)
        message = _new_message(turn, user_id, source["body"], forwarded_from_id=message_id)
        await store_message(turn, message, None)
    return message


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
            raise was_deleted()
        if not is_done:
            turn.announce(frame)


async def list_messages(
    chat_id: int, user_id: int, *, before: int | None = None, after: int | None = None, limit: int
) -> MessageList:
    """At most `limit` messages, newest first; `before` and `after` are ids, themselves excluded.

    They are the newest before `before` (of all, without it); with `after` alone, those that follow it.
    Raises RecordNotFound, AccessDenied.
    """
    db = current_environment().db
    is_forward = after is not None and before is None
    if is_forward:
        rows = await db.fetch(_SQL["following"], chat_id, after, limit + 1)
    else:
        rows = await db.fetch(_SQL["newest"], chat_id, after or 0, before or _BEYOND_ALL_IDS, limit + 1)
    await ChatMember.check_can_read(chat_id, user_id)
    page = [message_view(row) for row in rows[:limit]]
    following = page[-1].id if len(rows) > limit else None
    return MessageList(page[::-1] if is_forward else page, following)


async def list_pinned(chat_id: int, user_id: int) -> PinnedList:
    """The pinned messages, newest first, at most MAX_PINNED. Raises RecordNotFound, AccessDenied."""
    rows = await current_environment().db.fetch(_SQL["pinned"], chat_id, MAX_PINNED)
    await ChatMember.check_can_read(chat_id, user_id)
    return PinnedList([message_view(row) for row in rows])


# -- for the other verbs on messages


def checked_body(body: str) -> str:
    """A body as it can be stored. Raises Invalid with the pointer /body."""
    check_body(body, max_chars=running_chat().settings.max_body_chars)
    checked: str = _BODY.to_column(body)
    return checked


async def mentions_in(chat_id: int, body: str) -> tuple[int, ...]:
    """The members of a chat that a body names, in its order. A statement only where there is an @ in it."""
    candidates = mentioned_logins(body)
    if not candidates:
        return ()
    logins = list({login for logins in candidates for login in logins})
    rows = await current_environment().db.fetch(_SQL["logins"], chat_id, logins)
    return mentioned_ids(candidates, {row["login"]: row["id"] for row in rows})


async def store_mentions(chat_id: int, message_id: int, user_ids: tuple[int, ...]) -> None:
    """From now on the message counts as one that mentions these users."""
    await current_environment().db.fetch(_SQL["mention"], chat_id, message_id, user_ids)


async def store_message(turn: PostTurn, message: MessageView, nonce: str | None) -> int | None:
    """Store a message with its event and tell of it; instead, the id of the message that had the nonce
    before.

    Raises RecordNotFound, AccessDenied, Conflict (archived), Invalid (reply).
    """
    frame = turn.frame(NewMessageEvent(message=message))
    outcome = await current_environment().db.fetchrow(_SQL["post"], *_columns(turn, message, nonce, frame))
    if outcome is None:
        raise no_such_chat(turn.chat_id)
    first_id: int | None
    first_id, may_write, archived, has_reply_to = outcome
    if first_id is not None or not may_write or archived or not has_reply_to:
        return _first_or_refused(first_id, may_write, archived, has_reply_to, message.reply_to_id)
    if message.mentions:
        await store_mentions(turn.chat_id, message.id, message.mentions)
    turn.announce(frame)
    return None


def _first_or_refused(
    first_id: int | None, may_write: bool, archived: bool, has_reply_to: bool, reply_to_id: int | None
) -> int:
    """What comes of a message that was not stored: the id of the one that had its nonce before. Raises
    AccessDenied, Conflict (archived), RecordNotFound (reply)."""
    if first_id is not None:
        return first_id
    require("can_write", may_write)
    require_open(archived=archived)
    assert not has_reply_to, "there is no other reason"
    raise no_message_to_reply_to(reply_to_id)


def was_deleted() -> Conflict:
    """What is said of a message with which nothing can be done any more."""
    return Conflict("This message was deleted.")


def _new_message(
    turn: PostTurn,
    author_id: int,
    body: str,
    *,
    reply_to_id: int | None = None,
    forwarded_from_id: int | None = None,
    mentions: tuple[int, ...] = (),
) -> MessageView:
    return MessageView(
        id=turn.message_id,
        chat_id=turn.chat_id,
        author_id=author_id,
        body=body,
        reply_to_id=reply_to_id,
        forwarded_from_id=forwarded_from_id,
        pinned=False,
        created_at=turn.at,
        mentions=mentions,
    )


def _columns(turn: PostTurn, message: MessageView, nonce: str | None, frame: bytes) -> tuple[Any, ...]:
    """The parameters of the statement `post`."""
    return (
        turn.chat_id,
        message.author_id,
        message.id,
        message.body,
        turn.at,
        message.reply_to_id,
        nonce,
        turn.seq,
        frame.decode(),
        message.forwarded_from_id,
        msgspec.json.encode(message.mentions).decode() if message.mentions else "[]",
    )
