"""The way in for other modules: tell the members of a chat, or a user, that something happened.

    from services.chat.manager import chat_manager

    async with env.db.transaction():
        ...                                                    # the change
        await chat_manager.send_to_chat(chat_id, {"type": "order_shipped", "order_id": 7})

The events of the chat itself are in events.py, and made by its actions.
"""

from typing import Final

from app.core.environment import current_environment
from app.realtime import Envelope
from orm import UsageError
from services.chat.events import EPHEMERAL, EventLike, ephemeral_frame, event_type, plain_frame
from services.chat.log import topic_of
from services.chat.service import running_chat
from services.chat.stream import append


class ChatManager:
    """Acts in the environment that the calling context is bound to; keeps nothing itself."""

    async def send_to_chat(self, chat_id: int, event: EventLike) -> int | None:
        """Tell everybody who listens to the chat, in every process. The seq of the event, None for an
        ephemeral one.

        `event` has a `type`; `chat_id`, `seq` and `at` are added. An ephemeral one (`typing`, `presence`)
        goes out at once. Any other is stored as the next event of the chat, in the open transaction of the
        change that it tells of, and goes out when that is committed: without one this raises UsageError. Call
        it last, because it locks the chat until the end of the transaction; but a change of the chat's own
        tables takes `stream.lock_chat` before it, as all of them do, or two of them can deadlock. Raises
        RecordNotFound.

        Whether anybody may send this is for the caller to know: nothing is checked.
        """
        if event_type(event) in EPHEMERAL:
            self._publish(Envelope(topic_of(chat_id), None, ephemeral_frame(event, chat_id=chat_id)))
            return None
        if not current_environment().db.in_transaction:
            raise UsageError(
                f"the event {event_type(event)} is stored with the change that it tells of: "
                "call send_to_chat inside `async with env.db.transaction():`"
            )
        return await append(chat_id, event)

    async def send_to_user(self, user_id: int, event: EventLike) -> None:
        """Tell every socket of a user, in every process, at once. It is not kept for those who are away."""
        self._publish(Envelope("", None, plain_frame(event), to_users=(user_id,)))

    def _publish(self, envelope: Envelope) -> None:
        running_chat().realtime.publish([envelope])


chat_manager: Final = ChatManager()
