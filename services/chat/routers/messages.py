"""/chats/{chat_id}/messages, and the pinned ones."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.access import access_session
from app.http.bodies import Request
from app.http.query import query
from app.http.replies import Reply
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import Id, MessageList, NewMessage, PinChange, PinnedList, Success

router_private = Router(prefix="/chats/{chat_id:int}", tags=("chat",))


class MessagePage(msgspec.Struct, frozen=True):
    """`before` and `after` are ids of messages, themselves excluded; `limit` 1 to 200."""

    before: Id | None = None
    after: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


@router_private.get("/messages")
async def list_messages(request: Request) -> MessageList:
    """Messages, newest first; with `after` alone those that follow it."""
    page = query(request, MessagePage)
    return await actions.list_messages(
        request.path_params["chat_id"],
        access_session().user_id,
        before=page.before,
        after=page.after,
        limit=page.limit,
    )


@router_private.post("/messages", body=NewMessage, status=201)
async def post_message(request: Request, body: NewMessage) -> Reply:
    """Post a message. A nonce that was used before answers 200 with the first message that had it."""
    posted = await actions.post_message(
        request.path_params["chat_id"],
        access_session().user_id,
        body.body,
        reply_to_id=body.reply_to_id,
        nonce=body.nonce,
    )
    return Reply(posted.message, status=201 if posted.is_new else 200)


@router_private.post("/messages/{message_id:int}/pin", body=PinChange)
async def pin_message(request: Request, body: PinChange) -> Success:
    """Pin a message, or unpin it."""
    await actions.pin_message(
        request.path_params["chat_id"],
        access_session().user_id,
        request.path_params["message_id"],
        body.pinned,
    )
    return Success()


@router_private.get("/pinned")
async def list_pinned(request: Request) -> PinnedList:
    """The pinned messages, newest first."""
    return await actions.list_pinned(request.path_params["chat_id"], access_session().user_id)
