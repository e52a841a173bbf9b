"""/chats/search: finding what was said."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.access import access_session
from app.http.bodies import Request
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import Id, SearchList

router_private = Router(prefix="/chats", tags=("chat",))


class Question(msgspec.Struct, frozen=True):
    """`q` are words, or a part of one; `chat_id` the only chat to look in; `before` is the `next` of the page
    before; `limit` 1 to 100.
    """

    q: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    chat_id: Id | None = None
    before: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


@router_private.get("/search", query=Question)
async def search_messages(request: Request, query: Question) -> SearchList:
    """Messages that have these words or this text, newest first, in all chats that the asker may read."""
    return await actions.search_messages(
        access_session().user_id, query.q, chat_id=query.chat_id, before=query.before, limit=query.limit
    )
