"""The stream of events of each chat: numbered without gaps, stored with the change, told after commit.

A change of a chat goes like this, in one transaction and four round trips with BEGIN and COMMIT:

    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)      # the chat's row lock, the next seq and its time
        event = ...                                   # complete: everything in it is known by now
        rows = await db.fetch(change and event)       # one statement: rights, change, event, last_seq
        turn.announce(frame)                          # to every process, once it is committed

The second statement begins after the lock is held, so it sees every earlier change of the chat, a removal of
the asker included: rights are judged there and in the order of the stream. What it finds not allowed, or done
already, it does not do, and then no number is used up. Nobody locks a chat after having written to it, and
nobody locks two: there is nothing to deadlock.
"""

import datetime
from collections.abc import Sequence
from typing import Final

import msgspec

from app.core.environment import current_environment
from app.realtime import Envelope
from orm import RecordNotFound
from services.chat.app import ChatService
from services.chat.events import EventLike, durable_frame, event_type
from services.chat.log import topic_of
from sql import statements

_SQL: Final = statements("chat/events")


class Turn(msgspec.Struct, frozen=True):
    """The right to make the next event of a chat, held until the transaction ends."""

    chat_id: int
    seq: int
    at: datetime.datetime

    def frame(self, event: EventLike) -> bytes:
        """The JSON of `event` at this place of the stream."""
        return durable_frame(event, chat_id=self.chat_id, seq=self.seq, at=self.at)

    def announce(self, frame: bytes, *, ends: Sequence[int] = (), joins: Sequence[int] = ()) -> None:
        """Tell every process the event that was stored, once it is committed."""
        announce([Envelope(topic_of(self.chat_id), self.seq, frame, tuple(ends), tuple(joins))])


class PostTurn(Turn, frozen=True):
    """A turn to post a message, with the id that it gets."""

    message_id: int


async def lock_chat(chat_id: int, user_id: int) -> Turn:
    """The next turn in a chat. The chat is locked until the transaction ends; whether the user is (still) a
    member and what he may do has to be looked at afterwards. Raises RecordNotFound for a stranger.
    """
    row = await current_environment().db.fetchrow(_SQL["lock_for_member"], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    return Turn(chat_id, *row)


async def lock_chat_to_post(chat_id: int, user_id: int) -> PostTurn:
    """The same, for a message."""
    row = await current_environment().db.fetchrow(_SQL["lock_to_post"], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    return PostTurn(chat_id, *row)


async def append(
    chat_id: int, event: EventLike, *, joins: Sequence[int] = (), ends: Sequence[int] = ()
) -> int:
    """Give `event` its place in the stream of a chat: the seq. Two statements, inside an open transaction.

    Nothing is checked. `joins` and `ends`: see Envelope. Raises RecordNotFound.
    """
    db = current_environment().db
    row = await db.fetchrow(_SQL["lock"], chat_id)
    if row is None:
        raise no_such_chat(chat_id)
    turn = Turn(chat_id, *row)
    frame = turn.frame(event)
    await store(turn, event_type(event), frame, joins=joins, ends=ends)
    turn.announce(frame, ends=ends, joins=joins)
    return turn.seq


async def store(
    turn: Turn, kind: str, frame: bytes, *, joins: Sequence[int] = (), ends: Sequence[int] = ()
) -> None:
    """Store the event of a turn, in a statement of its own."""
    await current_environment().db.fetch(
        _SQL["append"], turn.chat_id, turn.seq, kind, frame.decode(), id_list(ends), id_list(joins), turn.at
    )


def announce(envelopes: Sequence[Envelope]) -> None:
    """Tell every process, once the open transaction is committed, what was stored in it."""
    env = current_environment()
    realtime = env.service(ChatService).realtime
    env.db.on_commit(lambda: realtime.publish(envelopes))


def id_list(ids: Sequence[int]) -> str:
    """A list of ids as the JSON that the log keeps."""
    return msgspec.json.encode(ids).decode()


def no_such_chat(chat_id: int) -> RecordNotFound:
    """What a stranger is told of a chat, whether there is one or not."""
    return RecordNotFound(f"There is no chat {chat_id}.")
