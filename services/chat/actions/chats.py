"""Creating chats, and reading what they are like now."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from app.realtime import Envelope
from orm import Invalid, Place, RecordNotFound
from services.chat.actions.members import insert_members, members_of, new_member, no_such_user
from services.chat.cursor import decode_cursor, encode_cursor
from services.chat.events import MemberAdded, event_type
from services.chat.log import topic_of
from services.chat.models import Chat
from services.chat.rules import ChatType, direct_key, preset
from services.chat.schemas import ChatList, ChatView, MemberView, MessageView
from services.chat.stream import Turn, announce, id_list, no_such_chat
from sql import statements

_SQL: Final = statements("chat/chats")
_EVENTS: Final = statements("chat/events")
_NAME: Final = Chat.__fields__["name"]


class Created(msgspec.Struct, frozen=True):
    """A chat, and whether it was this call that created it."""

    chat: ChatView
    is_new: bool


async def create_chat(
    creator_id: int, *, chat_type: ChatType, name: str = "", user_ids: Sequence[int] = ()
) -> Created:
    """A chat of the creator and these users; the direct chat of a pair exists once, and is given back.

    Its stream begins with a `member_added` for each of them, the creator first. Raises Invalid.
    """
    name = _NAME.to_column(name)
    others = [user_id for user_id in dict.fromkeys(user_ids) if user_id != creator_id]
    if chat_type == "direct" and len(others) != 1:
        sentence = "A direct chat is one of two: name the other user."
        raise Invalid(sentence, errors=[Place("/user_ids", "not_a_pair", sentence)])
    names = await _names(creator_id, others, user_ids)
    key = direct_key(creator_id, others[0]) if chat_type == "direct" else None
    db = current_environment().db
    async with db.transaction():
        row = await db.fetchrow(_SQL["create"], chat_type, name, creator_id, key, len(names))
        if row is not None:
            chat_id, created_at = row
            await _add_first_members(chat_id, created_at, names, creator_id, chat_type)
    if row is None:
        chat_id = await db.fetchval(_SQL["direct"], key)
    return Created(await get_chat(chat_id, creator_id), row is not None)


async def get_chat(chat_id: int, user_id: int) -> ChatView:
    """The chat as this member sees it. Raises RecordNotFound."""
    views = await _views([chat_id], user_id)
    if not views:
        raise no_such_chat(chat_id)
    return views[0]


async def list_chats(user_id: int, *, limit: int, after: str | None = None) -> ChatList:
    """At most `limit` chats of the user, the one with the newest message first, behind the page that `after`
    ended.

    Three statements, however many chats there are. Raises CursorError.
    """
    behind, behind_id = decode_cursor(after) if after is not None else (None, None)
    rows = await current_environment().db.fetch(_SQL["page"], user_id, behind, behind_id, limit + 1)
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        last = page[-1]
        following = encode_cursor(last["active_at"], last["id"])
    return ChatList(await _views([row["id"] for row in page], user_id), following)


async def _names(creator_id: int, others: Sequence[int], given: Sequence[int]) -> dict[int, str]:
    """The names of the creator and the others, in this order. Raises Invalid for those who are not there."""
    rows = await current_environment().db.fetch(_SQL["users"], [creator_id, *others])
    found = {row["id"]: row["name"] for row in rows if row["active"] or row["id"] == creator_id}
    if creator_id not in found:
        raise RecordNotFound(f"There is no user {creator_id}.")
    missing = [
        no_such_user(user_id, f"/user_ids/{given.index(user_id)}")
        for user_id in others
        if user_id not in found
    ]
    if missing:
        raise Invalid(missing[0].detail, errors=[place for problem in missing for place in problem.errors])
    return {user_id: found[user_id] for user_id in (creator_id, *others)}


async def _add_first_members(
    chat_id: int, at: datetime.datetime, names: Mapping[int, str], creator_id: int, chat_type: ChatType
) -> None:
    """Members and events of a chat that nobody else sees yet, so that every turn in it is ours."""
    members, kinds, frames, envelopes = [], [], [], []
    for seq, (user_id, name) in enumerate(names.items(), start=1):
        turn = Turn(chat_id, seq, at)
        rights = preset(chat_type, is_creator=user_id == creator_id)
        member = new_member(user_id, name, rights, turn)
        event = MemberAdded(member=member)
        frame = turn.frame(event)
        members.append(member)
        kinds.append(event_type(event))
        frames.append(frame.decode())
        envelopes.append(Envelope(topic_of(chat_id), seq, frame, joins=(user_id,)))
    await insert_members(chat_id, members, first_seq=1)
    seqs = list(range(1, len(members) + 1))
    joins = [id_list([user_id]) for user_id in names]
    await current_environment().db.fetch(_EVENTS["append_all"], chat_id, seqs, kinds, frames, joins, at)
    announce(envelopes)


async def _views(chat_ids: Sequence[int], user_id: int) -> list[ChatView]:
    """The chats that the user is in, in the order of the ids."""
    if not chat_ids:
        return []
    rows = await current_environment().db.fetch(_SQL["views"], chat_ids, user_id)
    found = {row["id"]: row for row in rows}
    members = await members_of(list(found))
    return [_chat_view(found[chat_id], members[chat_id]) for chat_id in chat_ids if chat_id in found]


def _chat_view(row: Any, members: Sequence[MemberView]) -> ChatView:
    may_read = row["may_read"]
    return ChatView(
        id=row["id"],
        name=row["name"],
        chat_type=row["chat_type"],
        description=row["description"],
        archived=row["archived"],
        creator_id=row["creator_id"],
        created_at=row["created_at"],
        last_seq=row["last_seq"],
        members=tuple(members),
        unread_count=row["unread"] if may_read else 0,
        last_message=_last_message(row) if may_read and row["message_id"] is not None else None,
    )


def _last_message(row: Any) -> MessageView:
    return MessageView(
        id=row["message_id"],
        chat_id=row["id"],
        author_id=row["author_id"],
        body=row["body"],
        reply_to_id=row["reply_to_id"],
        pinned=row["pinned"],
        created_at=row["said_at"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
    )
