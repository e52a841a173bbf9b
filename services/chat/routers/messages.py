"""/chats/{chat_id}/messages: what was said, and saying something."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.access import access_session
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import Id, MessageList, MessageView, NewMessage, PinnedList

router_private = Router(prefix="/chats/{chat_id:int}", tags=("chat",))


class MessagePage(msgspec.Struct, frozen=True):
    """`before` and `after` are ids of messages, themselves excluded; `limit` 1 to 500."""

    before: Id | None = None
    after: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50


@router_private.get("/messages", query=MessagePage)
async def list_messages(request: Request, query: MessagePage) -> MessageList:
    """Messages, newest first; with `after` alone those that follow it."""
    return await actions.list_messages(
        request.path_params["chat_id"],
        access_session().user_id,
        before=query.before,
        after=query.after,
        limit=query.limit,
    )


@router_private.post("/messages", body=NewMessage, status=201, responses={200: MessageView})
async def post_message(request: Request, body: NewMessage) -> Reply[MessageView]:
    """Post a message. A nonce that was used before answers 200 with the first message that had it."""
    posted = await actions.post_message(
        request.path_params["chat_id"],
        access_session().user_id,
        body.body,
        reply_to_id=body.reply_to_id,
        nonce=body.nonce,
    )
    return Reply(posted.message, status=201 if posted.is_new else 200)


@router_private.get("/pinned")
async def list_pinned(request: Request) -> PinnedList:
    """The pinned messages, newest first."""
    return await actions.list_pinned(request.path_params["chat_id"], access_session().user_id)
