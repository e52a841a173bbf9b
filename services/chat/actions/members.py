"""Who is in a chat, and how far he has read."""

from collections.abc import Sequence
from typing import Any, Final

from app.core.environment import current_environment
from orm import Conflict, Invalid, Place
from services.chat.actions.messages import no_such_message
from services.chat.events import MemberAdded, MessagesRead, event_type
from services.chat.rules import Rights, preset, require, require_open
from services.chat.schemas import MemberView
from services.chat.stream import Turn, lock_chat, no_such_chat, store
from sql import statements

_SQL: Final = statements("chat/members")


async def add_member(chat_id: int, user_id: int, new_user_id: int) -> MemberView:
    """The new member, with the rights that this type of chat gives; nothing said before counts as unread.

    Raises RecordNotFound, AccessDenied, Invalid (no such user), Conflict (member already, direct, archived).
    """
    db = current_environment().db
    async with db.transaction():
        turn = await lock_chat(chat_id, user_id)
        asked = await db.fetchrow(_SQL["invitation"], chat_id, user_id, new_user_id)
        if asked is None:
            raise no_such_chat(chat_id)
        require("can_invite", asked["may_invite"])
        require_open(archived=asked["archived"])
        if asked["chat_type"] == "direct":
            raise Conflict("A direct chat is one of two: create a group.")
        if asked["is_member"]:
            raise Conflict(f"User {new_user_id} is a member of this chat already.")
        if asked["name"] is None:
            raise no_such_user(new_user_id, "/user_id")
        member = new_member(
            new_user_id, asked["name"], preset(asked["chat_type"]), turn, read_up_to=asked["last_message_id"]
        )
        event = MemberAdded(member=member)
        frame = turn.frame(event)
        await insert_members(chat_id, [member], first_seq=turn.seq)
        await store(turn, event_type(event), frame, joins=[new_user_id])
        turn.announce(frame, joins=[new_user_id])
    return member


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


async def members_of(chat_ids: Sequence[int]) -> dict[int, list[MemberView]]:
    """The members of chats, in the order in which they joined. Nothing is checked."""
    members: dict[int, list[MemberView]] = {chat_id: [] for chat_id in chat_ids}
    for row in await current_environment().db.fetch(_SQL["of_chats"], chat_ids):
        members[row["chat_id"]].append(_member_view(row))
    return members


async def insert_members(chat_id: int, members: Sequence[MemberView], *, first_seq: int) -> None:
    """Store new members of a locked chat; the events that tell of them are numbered from `first_seq` on.

    They joined at the same time and have read up to the same message.
    """
    await current_environment().db.fetch(
        _SQL["insert"],
        chat_id,
        [member.user_id for member in members],
        list(range(first_seq, first_seq + len(members))),
        [member.is_admin for member in members],
        [member.can_read for member in members],
        [member.can_write for member in members],
        [member.can_pin for member in members],
        [member.can_invite for member in members],
        [member.can_delete_others for member in members],
        members[0].last_read_message_id,
        members[0].joined_at,
    )


def new_member(
    user_id: int, name: str, rights: Rights, turn: Turn, *, read_up_to: int | None = None
) -> MemberView:
    """A member who joins in this turn."""
    return MemberView(
        user_id=user_id,
        name=name,
        is_admin=rights.is_admin,
        can_read=rights.can_read,
        can_write=rights.can_write,
        can_pin=rights.can_pin,
        can_invite=rights.can_invite,
        can_delete_others=rights.can_delete_others,
        last_read_message_id=read_up_to,
        joined_at=turn.at,
    )


def no_such_user(user_id: int, pointer: str) -> Invalid:
    """What is said of a user who is not there, or is not active."""
    sentence = f"There is no user {user_id}."
    return Invalid(sentence, errors=[Place(pointer, "not_found", sentence)])


def _member_view(row: Any) -> MemberView:
    return MemberView(
        user_id=row["user_id"],
        name=row["name"],
        is_admin=row["is_admin"],
        can_read=row["can_read"],
        can_write=row["can_write"],
        can_pin=row["can_pin"],
        can_invite=row["can_invite"],
        can_delete_others=row["can_delete_others"],
        last_read_message_id=row["last_read_message_id"],
        joined_at=row["joined_at"],
    )
