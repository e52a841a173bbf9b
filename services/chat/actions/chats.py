"""Creating, changing and deleting chats."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from orm import Invalid, Place, RecordNotFound
from services.chat.actions.listing import get_chat
from services.chat.actions.members import insert_members, new_member
from services.chat.errors import no_such_chat, no_such_user
from services.chat.events import ChatUpdated, MemberAdded, MemberRemoved
from services.chat.models import Chat
from services.chat.rules import ChatType, direct_key, preset, require, require_open
from services.chat.schemas import ChatCard, ChatView
from services.chat.stream import Entry, Turn, lock_chat, lock_chat_for_program, store, store_all
from sql import statements

_SQL: Final = statements("chat/chats")
_MEMBERS: Final = statements("chat/members")
_NAME: Final = Chat.__fields__["name"]
_DESCRIPTION: Final = Chat.__fields__["description"]


class Created(msgspec.Struct, frozen=True):
    """A chat, and whether it was this call that created it."""

    chat: ChatView
    is_new: bool


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat begins with. `direct_key` or the record is what it exists once for."""

    chat_type: ChatType
    name: str = ""
    direct_key: str | None = None
    res_model: str | None = None
    res_id: int | None = None


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
    if chat_type != "direct":
        chat_id = await begin_chat(Beginning(chat_type=chat_type, name=name), names)
        assert chat_id is not None, "a chat that may exist more than once"
        return Created(await get_chat(chat_id, creator_id), True)
    return await _direct_chat(creator_id, name, direct_key(creator_id, others[0]), names)


async def change_chat(chat_id: int, user_id: int, changes: Mapping[str, Any]) -> ChatView:
    """The chat, called, described or archived differently; `changes` are of name, description and archived.
    Nothing happens where nothing changes.

    For administrators of the chat. One that is archived only changes by being opened again. Raises
    RecordNotFound, AccessDenied, Invalid, Conflict (archived).
    """
    changes = _checked(changes)
    db = current_environment().db
    async with db.transaction():
        turn, row = await _lock_to_manage(chat_id, user_id)
        before = {name: row[name] for name in ("name", "description", "archived")}
        after = before | changes
        if after != before:
            require_open(archived=before["archived"] and after["archived"])
            await db.fetch(_SQL["change"], chat_id, *after.values())
            await store(turn, ChatUpdated(chat=_card(row, turn.seq, after)))
    return await get_chat(chat_id, user_id)


async def delete_chat(chat_id: int, user_id: int) -> None:
    """The chat is gone for all its members at once, each of whom is told that he is none any more; what was
    said is removed soon after (retention.py).

    For administrators of the chat. Raises RecordNotFound, AccessDenied.
    """
    async with current_environment().db.transaction():
        turn, _ = await _lock_to_manage(chat_id, user_id)
        await _abandon(turn, last=user_id)


async def abandon_chat(chat_id: int) -> None:
    """The same by the program itself: for the chat of a record that is gone. Raises RecordNotFound."""
    async with current_environment().db.transaction():
        await _abandon(await lock_chat_for_program(chat_id))


async def begin_chat(beginning: Beginning, names: Mapping[int, str]) -> int | None:
    """The id of a new chat with these users, names by id, the creator first; None when it exists once and
    does.
    """
    creator_id = next(iter(names))
    db = current_environment().db
    async with db.transaction():
        row = await db.fetchrow(
            _SQL["create"],
            *(beginning.chat_type, beginning.name, creator_id, beginning.direct_key, len(names)),
            *(beginning.res_model, beginning.res_id),
        )
        if row is None:
            return None
        chat_id: int = row["id"]
        await _add_first_members(chat_id, row["created_at"], names, beginning.chat_type)
    return chat_id


async def names_of(user_ids: Sequence[int]) -> dict[int, str]:
    """The names of those of the users who can sign in."""
    rows = await current_environment().db.fetch(_SQL["users"], user_ids)
    return {row["id"]: row["name"] for row in rows if row["active"]}


async def _lock_to_manage(chat_id: int, user_id: int) -> tuple[Turn, Any]:
    """A turn in the chat for one of its administrators, and the chat as it is. Raises RecordNotFound,
    AccessDenied."""
    turn = await lock_chat(chat_id, user_id)
    row = await current_environment().db.fetchrow(_SQL["standing"], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    require("is_admin", row["may_manage"])
    return turn, row


async def _abandon(turn: Turn, *, last: int | None = None) -> None:
    """End all memberships of a chat. The member `last`, who did it, hears the whole of it."""
    db = current_environment().db
    member_ids = [row["user_id"] for row in await db.fetch(_SQL["members"], turn.chat_id)]
    member_ids.sort(key=lambda member_id: member_id == last)
    await db.fetch(_MEMBERS["remove_all"], turn.chat_id)
    await db.fetch(_MEMBERS["abandon"], turn.chat_id, turn.at)
    await store_all(turn, [Entry(MemberRemoved(user_id=one), ends=(one,)) for one in member_ids])
    await db.fetch(_SQL["advance"], turn.chat_id, turn.seq + len(member_ids) - 1)


async def _direct_chat(creator_id: int, name: str, key: str, names: Mapping[int, str]) -> Created:
    """The direct chat of a pair, made if it is not there: it may come and go while we look."""
    beginning = Beginning(chat_type="direct", name=name, direct_key=key)
    db = current_environment().db
    while True:
        made = await begin_chat(beginning, names)
        chat_id = made or await db.fetchval(_SQL["direct"], key)
        if chat_id is None:
            continue
        try:
            return Created(await get_chat(chat_id, creator_id), made is not None)
        except RecordNotFound:
            if await db.fetchval(_SQL["direct"], key) == chat_id:
                raise  # it is there, though not for him


async def _names(creator_id: int, others: Sequence[int], given: Sequence[int]) -> dict[int, str]:
    """The names of the creator and the others, in this order. Raises Invalid for those who are not there."""
    found = await names_of([creator_id, *others])
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
    chat_id: int, at: datetime.datetime, names: Mapping[int, str], chat_type: ChatType
) -> None:
    """Members and events of a chat that nobody else sees yet, so that every turn in it is ours."""
    turn = Turn(chat_id, 1, at)
    members = [
        new_member(user_id, name, preset(chat_type, is_creator=place == 0), turn)
        for place, (user_id, name) in enumerate(names.items())
    ]
    await insert_members(chat_id, members, first_seq=1)
    await store_all(turn, [Entry(MemberAdded(member=one), joins=(one.user_id,)) for one in members])


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as they can be stored. Raises Invalid, with the pointer."""
    fields = {"name": _NAME, "description": _DESCRIPTION}
    return {
        name: fields[name].to_column(value) if name in fields else value for name, value in changes.items()
    }


def _card(row: Any, seq: int, values: Mapping[str, Any]) -> ChatCard:
    """What is told of a chat that has changed."""
    return ChatCard(
        id=row["id"],
        chat_type=row["chat_type"],
        creator_id=row["creator_id"],
        created_at=row["created_at"],
        last_seq=seq,
        res_model=row["res_model"],
        res_id=row["res_id"],
        **values,
    )
