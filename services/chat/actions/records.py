"""Chats of records: whoever may read a record may talk about it.

Opening the chat makes one a member, so that it counts what is unread, stands in the list and is heard on
sockets like any other. But the membership rests on the right to the record and ends with it: every verb
asks for that right (records.py), lists and sockets end the memberships that have outlived it.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from orm import RecordNotFound
from services.chat.actions.members import admit, expel, new_member
from services.chat.records import readable
from services.chat.rules import preset
from services.chat.stream import lock_chat_for_program
from sql import statements

_SQL: Final = statements("chat/members")


class RecordChat(msgspec.Struct, frozen=True):
    """A chat of a user who is in it, and the record that it is about."""

    chat_id: int
    res_model: str
    res_id: int


async def join(chat_id: int, user_id: int, name: str) -> bool:
    """Whether the chat is there, and now with the user, who has nothing to catch up with; if he is in it
    already, nothing happens. Whether he may is for the caller to know.
    """
    db = current_environment().db
    async with db.transaction():
        try:
            turn = await lock_chat_for_program(chat_id)
        except RecordNotFound:
            return False
        row = await db.fetchrow(_SQL["arrival"], chat_id, user_id)
        if row is None:
            return False
        if not row["is_member"]:
            member = new_member(user_id, name, preset("record"), turn, read_up_to=row["last_message_id"])
            await admit(turn, member, read_count=row["message_count"])
    return True


async def settle(user_id: int, rows: Iterable[Any]) -> set[int]:
    """The chats in `rows` (id, res_model, res_id) that are about records which the user, who asks, may not
    read any more. He is no member of them from now on. One statement for each table, none without such
    chats.
    """
    chats = [RecordChat(row["id"], row["res_model"], row["res_id"]) for row in rows if row["res_model"]]
    lost = await lost_chats(chats)
    for chat_id in lost:
        await end_membership(chat_id, user_id)
    return lost


async def lost_chats(chats: Iterable[RecordChat]) -> set[int]:
    """Those about records that the asker may not read. One statement for each table."""
    by_table: dict[str, dict[int, int]] = {}
    for chat in chats:
        by_table.setdefault(chat.res_model, {})[chat.res_id] = chat.chat_id
    lost: set[int] = set()
    for table, chat_ids in by_table.items():
        found = await readable(table, chat_ids)
        lost.update(chat_id for record_id, chat_id in chat_ids.items() if record_id not in found)
    return lost


async def end_membership(chat_id: int, user_id: int) -> None:
    """The user is in the chat no more, as if he had left; nothing happens where he is not in it. The chat
    stays for whoever opens it next.
    """
    db = current_environment().db
    async with db.transaction():
        try:
            turn = await lock_chat_for_program(chat_id)
        except RecordNotFound:
            return
        row = await db.fetchrow(_SQL["arrival"], chat_id, user_id)
        if row is not None and row["is_member"]:
            await expel(turn, user_id)
