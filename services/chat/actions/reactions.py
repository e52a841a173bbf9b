"""Answering a message with an emoji."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from app.core.environment import current_environment
from orm import Conflict
from services.chat.actions.messages import was_deleted
from services.chat.actions.touched import touch
from services.chat.events import ReactionUpdate
from services.chat.rules import MAX_EMOJI, check_emoji, require, require_open
from services.chat.schemas import MessageView, ReactionView
from services.chat.stream import lock_chat
from sql import statements

_SQL: Final = statements("chat/messages")


async def toggle_reaction(chat_id: int, user_id: int, message_id: int, emoji: str) -> MessageView:
    """The message with the user's emoji on it, or without, where it was there.

    Who may read may react. Raises Invalid (no emoji), RecordNotFound (chat, message of this chat),
    AccessDenied, Conflict (deleted, archived, too many different ones).
    """
    check_emoji(emoji)
    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)
        touched = await touch(chat_id, user_id, message_id)
        require("can_read", touched.may_read)
        message = touched.message
        require_open(archived=touched.archived)
        if touched.is_deleted:
            raise was_deleted()
        reactions = toggled(message.reactions, emoji, user_id)
        event = turn.frame(ReactionUpdate(message_id=message_id, reactions=reactions))
        await current_environment().db.fetch(
            _SQL["react"],
            *(
                chat_id,
                message_id,
                msgspec.json.encode(reactions).decode(),
                turn.seq,
                event.decode(),
                turn.at,
            ),
        )
        turn.announce(event)
        return replace(message, reactions=reactions)


def toggled(reactions: Sequence[ReactionView], emoji: str, user_id: int) -> tuple[ReactionView, ...]:
    """The reactions after one of a user was added or taken away, in the order in which each was first used.

    Raises Conflict when the message has as many different ones as it can have.
    """
    found = {reaction.emoji: reaction.user_ids for reaction in reactions}
    users = found.get(emoji, ())
    if user_id in users:
        found[emoji] = tuple(other for other in users if other != user_id)
    elif not users and len(found) >= MAX_EMOJI:
        raise Conflict(f"This message has {MAX_EMOJI} different reactions: use one of them.")
    else:
        found[emoji] = (*users, user_id)
    return tuple(ReactionView(emoji=one, user_ids=users) for one, users in found.items() if users)
