"""Reading the stream of a chat: for clients that come back, and for sockets that begin to listen."""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.core.environment import current_environment
from services.chat.actions.records import settle
from services.chat.errors import no_such_chat
from services.chat.records import check_record
from services.chat.rules import require
from services.chat.schemas import EventList
from sql import statements

_SQL: Final = statements("chat/events")


async def list_events(chat_id: int, user_id: int, *, since: int, limit: int) -> EventList:
    """At most `limit` events after `since`, ascending. Raises RecordNotFound, AccessDenied.

    None that came after the user was found to be one who may read: by then he may be none any more.
    """
    seq = await stream_head(chat_id, user_id)
    rows = await current_environment().db.fetch(_SQL["between"], chat_id, since, seq, limit)
    is_cut = rows[0]["seq"] > since + 1 if rows else since != seq
    return EventList([msgspec.Raw(row["frame"].encode()) for row in rows], seq, is_cut)


async def stream_head(chat_id: int, user_id: int) -> int:
    """The seq of the latest event, as seen in the statement that found that the user may listen.

    Raises RecordNotFound, AccessDenied.
    """
    row = await current_environment().db.fetchrow(_SQL["subscribable"], chat_id, user_id)
    if row is None:
        raise no_such_chat(chat_id)
    last_seq, may_read, res_model, res_id = row
    await check_record(chat_id, res_model, res_id)
    require("can_read", may_read)
    return int(last_seq)


async def stream_heads(user_id: int) -> Mapping[int, int]:
    """The same for all chats that the user may listen to, by chat; those with the newest message first."""
    rows = await current_environment().db.fetch(_SQL["all_subscribable"], user_id)
    lost = await settle(user_id, rows)
    return {row["id"]: row["last_seq"] for row in rows if row["id"] not in lost}
