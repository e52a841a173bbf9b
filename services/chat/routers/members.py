"""/chats/{chat_id}/members, and leaving."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.routing import Router
from services.chat import actions
from services.chat.routers.answers import named
from services.chat.schemas import MemberView, NewMember, RightsChange

router_private = Router(prefix="/chats/{chat_id:int}", tags=("chat",))


@router_private.post("/members", body=NewMember, status=201)
async def add_member(request: Request, body: NewMember) -> MemberView:
    """Add a user, with the rights that this type of chat gives."""
    return await actions.add_member(request.path_params["chat_id"], access_session().user_id, body.user_id)


@router_private.patch("/members/{user_id:int}", body=RightsChange)
async def update_member(request: Request, body: RightsChange) -> MemberView:
    """Give a member rights, or take them away. For administrators of the chat."""
    return await actions.update_member(
        request.path_params["chat_id"],
        access_session().user_id,
        request.path_params["user_id"],
        named(body),
    )


@router_private.delete("/members/{user_id:int}")
async def remove_member(request: Request) -> None:
    """Remove a member. For administrators of the chat; everybody may remove himself."""
    await actions.remove_member(
        request.path_params["chat_id"], access_session().user_id, request.path_params["user_id"]
    )


@router_private.post("/leave")
async def leave(request: Request) -> None:
    """Be a member no more."""
    user_id = access_session().user_id
    await actions.remove_member(request.path_params["chat_id"], user_id, user_id)
