"""/chats: creating chats, listing one's own, looking at one."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.access import access_session
from app.http.bodies import Request
from app.http.query import query
from app.http.replies import Reply
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import ChatList, ChatView, EventList, NewChat, ReadMark, Seq

router_private = Router(prefix="/chats", tags=("chat",))


class ChatPage(msgspec.Struct, frozen=True):
    """`limit` 1 to 200; `after` is the `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    after: str | None = None


class EventPage(msgspec.Struct, frozen=True):
    """Events after the seq `since`; `limit` 1 to 500."""

    since: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


@router_private.post("", body=NewChat, status=201)
async def create_chat(request: Request, body: NewChat) -> Reply:
    """Create a chat. A direct chat exists once for each pair: the existing one is answered with 200."""
    created = await actions.create_chat(
        access_session().user_id, chat_type=body.chat_type, name=body.name or "", user_ids=body.user_ids
    )
    if not created.is_new:
        return Reply(created.chat, status=200)
    return Reply(created.chat, headers={"Location": f"/chats/{created.chat.id}"})


@router_private.get("")
async def list_chats(request: Request) -> ChatList:
    """The asker's chats, the one with the newest message first."""
    page = query(request, ChatPage)
    return await actions.list_chats(access_session().user_id, limit=page.limit, after=page.after)


@router_private.get("/{chat_id:int}")
async def get_chat(request: Request) -> ChatView:
    """One chat."""
    return await actions.get_chat(request.path_params["chat_id"], access_session().user_id)


@router_private.get("/{chat_id:int}/events")
async def list_events(request: Request) -> EventList:
    """What happened in a chat after a seq, in order."""
    page = query(request, EventPage)
    return await actions.list_events(
        request.path_params["chat_id"], access_session().user_id, since=page.since, limit=page.limit
    )


@router_private.post("/{chat_id:int}/read", body=ReadMark)
async def mark_read(request: Request, body: ReadMark) -> None:
    """Everything up to a message was read."""
    await actions.mark_read(request.path_params["chat_id"], access_session().user_id, body.message_id)
