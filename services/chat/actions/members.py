"""Who is in a chat and with what rights: adding, changing, removing, leaving."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import asdict, replace

from app.core.environment import current_environment
from orm import Conflict
from services.chat.errors import no_such_chat, no_such_member, no_such_user
from services.chat.events import MemberAdded, MemberRemoved, MemberUpdated, Presence
from services.chat.manager import chat_manager
from services.chat.rows import member_view
from services.chat.rules import Rights, preset, require, require_open
from services.chat.schemas import MemberView
from services.chat.service import running_chat
from services.chat.stream import Turn, lock_chat, store
from sql import statements

_SQL: Final = statements("chat/members")


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A member that somebody is about to do something with, himself perhaps, and what he may."""

    may_manage: bool
    archived: bool
    chat_type: str
    has_others: bool
    has_other_admin: bool
    member: MemberView

    @property
    def is_last_admin(self) -> bool:
        """Whether without him nobody could manage the chat for those who are left.

        The chat of a record belongs to the record, and whoever opens it may be its only administrator.
        """
        return (
            self.member.is_admin
            and self.has_others
            and not self.has_other_admin
            and self.chat_type != "record"
        )


async def add_member(chat_id: int, user_id: int, new_user_id: int) -> MemberView:
    """The new member, with the rights that this type of chat gives; nothing said before counts as unread.

    Raises RecordNotFound, AccessDenied, Invalid (no such user), Conflict (member already, direct, of a
    record, archived).
    """
    db = current_environment().db
    async with db.transaction():
        turn = await lock_chat(chat_id, user_id)
        asked = await db.fetchrow(_SQL["invitation"], chat_id, user_id, new_user_id)
        if asked is None:
            raise no_such_chat(chat_id)
        require("can_invite", asked["may_invite"])
        require_open(archived=asked["archived"])
        _check_can_grow(asked["chat_type"])
        if asked["is_member"]:
            raise Conflict(f"User {new_user_id} is a member of this chat already.")
        if asked["name"] is None:
            raise no_such_user(new_user_id, "/user_id")
        rights = preset(asked["chat_type"])
        member = new_member(new_user_id, asked["name"], rights, turn, read_up_to=asked["last_message_id"])
        await admit(turn, member, read_count=asked["message_count"])
    if running_chat().is_online(new_user_id):  # since before he was one of them, so that nobody was told
        await chat_manager.send_to_chat(chat_id, Presence(user_id=new_user_id, online=True))
    return member


async def update_member(
    chat_id: int, user_id: int, member_id: int, changes: Mapping[str, object]
) -> MemberView:
    """The member with changed rights. Who may not read any more hears nothing that comes after; who may
    again, everything. Nothing happens where nothing changes.

    For administrators of the chat. Raises RecordNotFound (chat, member), AccessDenied, Conflict (direct,
    archived, the last administrator).
    """
    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)
        touched = await _touch(chat_id, user_id, member_id)
        require("is_admin", touched.may_manage)
        require_open(archived=touched.archived)
        _check_is_no_pair(touched.chat_type, "The rights in a direct chat are those of both.")
        before, after = touched.member, replace(touched.member, **changes)
        if after == before:
            return before
        if touched.is_last_admin and not after.is_admin:
            raise _last_admin()
        await _store_update(turn, before, after)
    return after


async def remove_member(chat_id: int, user_id: int, member_id: int) -> None:
    """The member is none any more: he leaves, or an administrator of the chat removes him, also from one
    that is archived. With its last member a chat is gone; that of a record stays for whoever opens it next.

    Raises RecordNotFound (chat, member), AccessDenied, Conflict (direct, the last administrator).
    """
    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)
        touched = await _touch(chat_id, user_id, member_id)
        if member_id != user_id:
            require("is_admin", touched.may_manage)
        _check_is_no_pair(
            touched.chat_type, "A direct chat is one of two, nobody leaves it: delete it instead."
        )
        if touched.is_last_admin:
            raise _last_admin()
        await expel(turn, member_id)
        if not touched.has_others and touched.chat_type != "record":
            await current_environment().db.fetch(_SQL["abandon"], chat_id, turn.at)


async def pin_chat(chat_id: int, user_id: int, pinned: bool) -> None:
    """The user has the chat at the top of his list, or not. It makes no event: it is nobody else's matter.

    Raises RecordNotFound.
    """
    row = await current_environment().db.fetchrow(_SQL["pin_chat"], chat_id, user_id, pinned)
    if row is None:
        raise no_such_chat(chat_id)


# -- for other verbs


async def admit(turn: Turn, member: MemberView, *, read_count: int) -> None:
    """Store one new member with the event that tells of him."""
    await insert_members(turn.chat_id, [member], first_seq=turn.seq, read_count=read_count)
    await store(turn, MemberAdded(member=member), joins=[member.user_id])


async def expel(turn: Turn, user_id: int) -> None:
    """End a membership with the event that tells of it."""
    await current_environment().db.fetch(_SQL["remove"], turn.chat_id, user_id)
    await store(turn, MemberRemoved(user_id=user_id), ends=[user_id])


async def insert_members(
    chat_id: int, members: Sequence[MemberView], *, first_seq: int, read_count: int = 0
) -> None:
    """Store new members of a locked chat; the events that tell of them are numbered from `first_seq` on.

    They joined at the same time and have read up to the same message, which is the `read_count`-th.
    """
    await current_environment().db.fetch(
        _SQL["insert"],
        chat_id,
        [member.user_id for member in members],
        list(range(first_seq, first_seq + len(members))),
        *([getattr(member, right) for member in members] for right in Rights.__struct_fields__),
        members[0].last_read_message_id,
        members[0].joined_at,
        read_count,
    )


def new_member(
    user_id: int, name: str, rights: Rights, turn: Turn, *, read_up_to: int | None = None
) -> MemberView:
    """A member who joins in this turn."""
    return MemberView(
        user_id=user_id, name=name, last_read_message_id=read_up_to, joined_at=turn.at, **asdict(rights)
    )


# -- the parts


async def _touch(chat_id: int, user_id: int, member_id: int) -> Touched:
    row = await current_environment().db.fetchrow(_SQL["touched"], chat_id, user_id, member_id)
    if row is None:
        raise no_such_chat(chat_id)
    if row["user_id"] is None:
        raise no_such_member(chat_id, member_id)
    facts: dict[str, Any] = {name: row[name] for name in Touched.__struct_fields__ if name != "member"}
    return Touched(member=member_view(row), **facts)


async def _store_update(turn: Turn, before: MemberView, after: MemberView) -> None:
    could_read, may_read = (one.is_admin or one.can_read for one in (before, after))
    is_admitted = may_read and not could_read
    rights = [getattr(after, right) for right in Rights.__struct_fields__]
    await current_environment().db.fetch(
        _SQL["update"], turn.chat_id, after.user_id, *rights, is_admitted, turn.seq, turn.at
    )
    user = (after.user_id,)
    await store(
        turn,
        MemberUpdated(member=after),
        joins=user if is_admitted else (),
        ends=user if could_read and not may_read else (),
    )


def _check_can_grow(chat_type: str) -> None:
    _check_is_no_pair(chat_type, "A direct chat is one of two: create a group.")
    if chat_type == "record":
        raise Conflict("In the chat of a record is whoever may read the record and opens it.")


def _check_is_no_pair(chat_type: str, sentence: str) -> None:
    if chat_type == "direct":
        raise Conflict(sentence)


def _last_admin() -> Conflict:
    return Conflict(
        "Without its last administrator nobody could manage this chat: make somebody else one first."
    )
