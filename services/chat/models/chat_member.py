"""A user in a chat, with what he may do there."""

import datetime
from typing import TYPE_CHECKING, Final, Self

from orm import (
    BigInteger,
    Boolean,
    Datetime,
    DotModel,
    Many2one,
    Ref,
    system,
    utc_now,
)
from services.chat.errors import no_such_chat
from services.chat.models.chat import Chat
from services.chat.records import check_record
from services.chat.rules import Right, require

if TYPE_CHECKING:
    from services.users.models.user import User


_RECORD: Final = ("chat_id.res_model", "chat_id.res_id")


class ChatMember(DotModel):
    """A row of `chat_members`.

    The checks answer the member, or raise RecordNotFound for a user who is none (the chat is not there for
    him) and AccessDenied for one without the right. They look past the access policy: who a member is, is not
    a matter of roles. In the chat of a record, though, the asker bound to the context has to be one who may
    read the record.
    """

    __table__ = "chat_members"
    __auto_crud__ = "read"
    __written_at__ = "/chats"
    __unique__ = (("chat_id", "user_id"),)

    chat_id: Ref["Chat"] = Many2one(Chat, required=True, ondelete="cascade")
    # Restrict: a membership ends by an event that all the others see, never by the way. Users are disabled.
    user_id: Ref["User"] = Many2one("users", required=True, ondelete="restrict")
    is_admin: bool = Boolean(default=False, description="Has every right, whatever the others say")
    can_read: bool = Boolean(default=False)
    can_write: bool = Boolean(default=False)
    can_pin: bool = Boolean(default=False)
    can_invite: bool = Boolean(default=False)
    can_delete_others: bool = Boolean(default=False)
    last_read_message_id: int | None = BigInteger(description="Everything up to this message was read")
    read_count: int = BigInteger(
        default=0,
        required=True,
        readonly=True,
        private=True,
        description="The number of that message in its chat",
    )
    pinned_at: datetime.datetime | None = Datetime(
        readonly=True, private=True, description="Since when he has the chat at the top of his list"
    )
    joined_at: datetime.datetime = Datetime(default=utc_now, readonly=True)
    joined_seq: int = BigInteger(
        required=True, readonly=True, private=True, description="Number of the event that told of it"
    )
    admitted_at: datetime.datetime | None = Datetime(
        index=True, readonly=True, private=True, description="Since when he may listen"
    )
    admitted_seq: int = BigInteger(
        default=0,
        required=True,
        readonly=True,
        private=True,
        description="Number of the event by which he may",
    )

    @classmethod
    async def check_member(cls, chat_id: int, user_id: int) -> Self:
        """The member, whatever he may do."""
        fields = [name for name, field in cls.__fields__.items() if field.stored]
        with system():
            found = await cls.search(
                [["chat_id", "=", chat_id], ["user_id", "=", user_id]], [*fields, *_RECORD], limit=1
            )
        if not found:
            raise no_such_chat(chat_id)
        chat = found[0].chat_id
        await check_record(chat_id, chat.res_model, chat.res_id)
        return found[0]

    @classmethod
    async def check_is_admin(cls, chat_id: int, user_id: int) -> Self:
        """The member, who is an administrator of the chat."""
        return await cls._check(chat_id, user_id, "is_admin")

    @classmethod
    async def check_can_read(cls, chat_id: int, user_id: int) -> Self:
        """The member, who may read messages and events."""
        return await cls._check(chat_id, user_id, "can_read")

    @classmethod
    async def check_can_write(cls, chat_id: int, user_id: int) -> Self:
        """The member, who may post messages."""
        return await cls._check(chat_id, user_id, "can_write")

    @classmethod
    async def check_can_pin(cls, chat_id: int, user_id: int) -> Self:
        """The member, who may pin messages and unpin them."""
        return await cls._check(chat_id, user_id, "can_pin")

    @classmethod
    async def check_can_invite(cls, chat_id: int, user_id: int) -> Self:
        """The member, who may add others."""
        return await cls._check(chat_id, user_id, "can_invite")

    @classmethod
    async def check_can_delete_others(cls, chat_id: int, user_id: int) -> Self:
        """The member, who may delete messages of others."""
        return await cls._check(chat_id, user_id, "can_delete_others")

    @classmethod
    async def _check(cls, chat_id: int, user_id: int, right: Right) -> Self:
        member = await cls.check_member(chat_id, user_id)
        require(right, member.is_admin or getattr(member, right))
        return member
