"""/chats: creating chats, listing one's own, changing one."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.access import access_session
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.chat import actions
from services.chat.routers.answers import created_reply, named
from services.chat.schemas import (
    ChatChange,
    ChatList,
    ChatView,
    EventList,
    NewChat,
    PinChange,
    ReadMark,
    Seq,
    Success,
)

router_private = Router(prefix="/chats", tags=("chat",))


class ChatPage(msgspec.Struct, frozen=True):
    """`limit` 1 to 500; `after` is the `next` of the page before; `q` is a part of the name."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    after: str | None = None
    q: Annotated[str, Meta(max_length=255)] | None = None


class EventPage(msgspec.Struct, frozen=True):
    """Events after the seq `since`; `limit` 1 to 500."""

    since: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


@router_private.post("", body=NewChat, status=201, responses={200: ChatView})
async def create_chat(request: Request, body: NewChat) -> Reply[ChatView]:
    """Create a chat. A direct chat exists once for each pair: the existing one is answered with 200."""
    created = await actions.create_chat(
        access_session().user_id, chat_type=body.chat_type, name=body.name or "", user_ids=body.user_ids
    )
    return created_reply(created)


@router_private.get("", query=ChatPage)
async def list_chats(request: Request, query: ChatPage) -> ChatList:
    """The asker's chats: those that he has pinned, then the others, each part with the newest message
    first.
    """
    return await actions.list_chats(access_session().user_id, limit=query.limit, after=query.after, q=query.q)


@router_private.get("/{chat_id:int}")
async def get_chat(request: Request) -> ChatView:
    """One chat."""
    return await actions.get_chat(request.path_params["chat_id"], access_session().user_id)


@router_private.patch("/{chat_id:int}", body=ChatChange)
async def change_chat(request: Request, body: ChatChange) -> ChatView:
    """Rename, describe or archive a chat, or open an archived one again. For its administrators."""
    return await actions.change_chat(request.path_params["chat_id"], access_session().user_id, named(body))


@router_private.delete("/{chat_id:int}")
async def delete_chat(request: Request) -> None:
    """Delete a chat with all that was said in it, for all its members. For its administrators."""
    await actions.delete_chat(request.path_params["chat_id"], access_session().user_id)


@router_private.post("/{chat_id:int}/pin", body=PinChange)
async def pin_chat(request: Request, body: PinChange) -> Success:
    """Keep a chat at the top of one's own list, or not."""
    await actions.pin_chat(request.path_params["chat_id"], access_session().user_id, body.pinned)
    return Success()


@router_private.get("/{chat_id:int}/events", query=EventPage)
async def list_events(request: Request, query: EventPage) -> EventList:
    """What happened in a chat after a seq, in order."""
    return await actions.list_events(
        request.path_params["chat_id"], access_session().user_id, since=query.since, limit=query.limit
    )


@router_private.post("/{chat_id:int}/read", body=ReadMark)
async def mark_read(request: Request, body: ReadMark) -> None:
    """Everything up to a message was read."""
    await actions.mark_read(request.path_params["chat_id"], access_session().user_id, body.message_id)
