"""/chats/{chat_id}/messages/{message_id}: doing something with one message."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import (
    ForwardTarget,
    MessageChange,
    MessageView,
    PinChange,
    Reaction,
    Success,
    VersionList,
)

router_private = Router(prefix="/chats/{chat_id:int}/messages/{message_id:int}", tags=("chat",))


@router_private.patch("", body=MessageChange)
async def edit_message(request: Request, body: MessageChange) -> MessageView:
    """Edit one's own message. What it said is kept."""
    return await actions.edit_message(*_message(request), body.body)


@router_private.delete("")
async def delete_message(request: Request) -> None:
    """Delete a message: it keeps its place and says nothing any more."""
    await actions.delete_message(*_message(request))


@router_private.get("/history")
async def list_versions(request: Request) -> VersionList:
    """What a message says and said before it was edited, newest first."""
    return await actions.list_versions(*_message(request))


@router_private.post("/pin", body=PinChange)
async def pin_message(request: Request, body: PinChange) -> Success:
    """Pin a message, or unpin it."""
    await actions.pin_message(*_message(request), body.pinned)
    return Success()


@router_private.post("/reactions", body=Reaction)
async def toggle_reaction(request: Request, body: Reaction) -> MessageView:
    """React to a message with an emoji, or take that back."""
    return await actions.toggle_reaction(*_message(request), body.emoji)


@router_private.post("/forward", body=ForwardTarget, status=201)
async def forward_message(request: Request, body: ForwardTarget) -> MessageView:
    """Post a copy of a message in another chat, or in this one."""
    return await actions.forward_message(*_message(request), body.chat_id)


def _message(request: Request) -> tuple[int, int, int]:
    """The chat, who asks, and the message."""
    parameters = request.path_params
    return parameters["chat_id"], access_session().user_id, parameters["message_id"]
