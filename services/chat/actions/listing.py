"""What the chats of a user are like now."""

from collections.abc import Sequence
from typing import Final

from app.core.environment import current_environment
from services.chat.actions.records import settle
from services.chat.cursor import NOWHERE, decode_cursor, encode_cursor
from services.chat.errors import no_such_chat
from services.chat.records import check_record
from services.chat.rows import chat_view
from services.chat.schemas import ChatList, ChatView
from sql import statements

_SQL: Final = statements("chat/chats")


async def get_chat(chat_id: int, user_id: int) -> ChatView:
    """The chat as this member sees it. Raises RecordNotFound."""
    views = await _views([chat_id], user_id)
    if not views:
        raise no_such_chat(chat_id)
    await check_record(chat_id, views[0].res_model, views[0].res_id)
    return views[0]


async def list_chats(user_id: int, *, limit: int, after: str | None = None, q: str | None = None) -> ChatList:
    """At most `limit` chats of the user, those that he has pinned first, then the others, each part with the
    newest message first, behind the page that `after` ended. With `q` only those whose name contains it in
    whatever case; a direct chat is called like the other one in it.

    Two statements, however many chats there are, and one for each table that has records with chats on the
    page. Raises CursorError.
    """
    place = decode_cursor(after) if after is not None else NOWHERE
    if q is not None and "\0" in q:
        return ChatList([], None)  # no name that PostgreSQL keeps has a zero byte
    asked = (user_id, *place, limit + 1, q.lower() if q else None)
    rows = await current_environment().db.fetch(_SQL["page"], *asked)
    while await settle(user_id, rows):
        rows = await current_environment().db.fetch(_SQL["page"], *asked)
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        last = page[-1]
        following = encode_cursor(last["is_pinned"], last["active_at"], last["id"])
    return ChatList(await _views([row["id"] for row in page], user_id), following)


async def _views(chat_ids: Sequence[int], user_id: int) -> list[ChatView]:
    """The chats that the user is in, in the order of the ids."""
    if not chat_ids:
        return []
    rows = await current_environment().db.fetch(_SQL["views"], chat_ids, user_id)
    found = {row["id"]: row for row in rows}
    return [chat_view(found[chat_id]) for chat_id in chat_ids if chat_id in found]
