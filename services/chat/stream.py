"""The stream of events of each chat: numbered without gaps, stored with the change, told after commit.

A change of a chat goes like this, in one transaction and four round trips with BEGIN and COMMIT:

    async with current_environment().db.transaction():
        turn = await lock_chat(chat_id, user_id)      # the chat's row lock, the next seq and its time
        event = ...                                   # complete: everything in it is known by now
        rows = await db.fetch(change and event)       # one statement: rights, change, event, last_seq
        turn.announce(frame)                          # to every process, once it is committed

The second statement begins after the lock is held, so it sees every earlier change of the chat, a removal
of the asker included: rights are judged there and in the order of the stream. What it finds not allowed, or
done already, it does not do, and then no number is used up. Where the event itself tells of what is there
(an edited message, all reactions to it), a statement that reads comes between the two. A message that
mentions nobody goes the same way inside one function of the database. Nobody locks a chat
after having written to it, and nobody locks two: there is nothing to deadlock.
"""

import datetime
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.core.environment import current_environment
from app.realtime import Envelope
from services.chat.errors import no_such_chat
from services.chat.events import EventLike, durable_frame, event_type
from services.chat.log import topic_of
from services.chat.records import check_record
from services.chat.service import running_chat
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
    member and what he may do has to be looked at afterwards.

    Raises RecordNotFound for a stranger, and in the chat of a record for an asker who may not read that.
    """
    return Turn(chat_id, *await _locked("lock_for_member", chat_id, user_id))


async def lock_chat_to_post(chat_id: int, user_id: int) -> PostTurn:
    """The same, for a message."""
    return PostTurn(chat_id, *await _locked("lock_to_post", chat_id, user_id))


async def lock_chat_for_program(chat_id: int) -> Turn:
    """The next turn in a chat, for the program itself. Raises RecordNotFound."""
    row = await current_environment().db.fetchrow(_SQL["lock"], chat_id)
    if row is None:
        raise no_such_chat(chat_id)
    return Turn(chat_id, *row)


async def append(
    chat_id: int, event: EventLike, *, joins: Sequence[int] = (), ends: Sequence[int] = ()
) -> int:
    """Give `event` its place in the stream of a chat: the seq. Two statements, inside an open transaction.

    Nothing is checked. `joins` and `ends`: see Envelope. Raises RecordNotFound.
    """
    turn = await lock_chat_for_program(chat_id)
    await store(turn, event, joins=joins, ends=ends)
    return turn.seq


async def store(turn: Turn, event: EventLike, *, joins: Sequence[int] = (), ends: Sequence[int] = ()) -> None:
    """Store the event of a turn, in a statement of its own, and see to it that it is told."""
    frame = turn.frame(event)
    await current_environment().db.fetch(
        _SQL["append"],
        *(turn.chat_id, turn.seq, event_type(event), frame.decode(), id_list(ends), id_list(joins), turn.at),
    )
    turn.announce(frame, ends=ends, joins=joins)


class Entry(msgspec.Struct, frozen=True):
    """One of several events that are stored together: see Envelope for `ends` and `joins`."""

    event: EventLike
    ends: tuple[int, ...] = ()
    joins: tuple[int, ...] = ()


async def store_all(turn: Turn, entries: Sequence[Entry]) -> None:
    """Store events from the seq of a turn on, in one statement, and see to it that they are told.

    Where the chat stands afterwards (`last_seq`) is for the caller to write.
    """
    topic = topic_of(turn.chat_id)
    envelopes = []
    for number, entry in enumerate(entries):
        frame = durable_frame(entry.event, chat_id=turn.chat_id, seq=turn.seq + number, at=turn.at)
        envelopes.append(Envelope(topic, turn.seq + number, frame, entry.ends, entry.joins))
    await current_environment().db.fetch(
        _SQL["append_all"],
        turn.chat_id,
        [envelope.seq for envelope in envelopes],
        [event_type(entry.event) for entry in entries],
        [envelope.frame.decode() for envelope in envelopes],
        [id_list(entry.ends) for entry in entries],
        [id_list(entry.joins) for entry in entries],
        turn.at,
    )
    announce(envelopes)


def announce(envelopes: Sequence[Envelope]) -> None:
    """Tell every process what was stored: once the open transaction is committed; without one, now."""
    db = current_environment().db
    realtime = running_chat().realtime
    if db.in_transaction:
        db.on_commit(lambda: realtime.publish(envelopes))
    else:
        realtime.publish(envelopes)


def id_list(ids: Sequence[int]) -> str:
    """A list of ids as the JSON that the log keeps."""
    return msgspec.json.encode(ids).decode()


async def _locked(statement: str, chat_id: int, user_id: int) -> Sequence[Any]:
    """The columns of a turn behind the chat's id."""
    row = await current_environment().db.fetchrow(_SQL[statement], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    columns: list[Any]
    res_model, res_id, *columns = row
    if res_model is not None:
        await check_record(chat_id, res_model, res_id)
    return columns
