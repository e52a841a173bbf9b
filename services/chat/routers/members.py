"""/chats/{chat_id}/members."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.routing import Router
from services.chat import actions
from services.chat.schemas import MemberView, NewMember

router_private = Router(prefix="/chats/{chat_id:int}/members", tags=("chat",))


@router_private.post("", body=NewMember, status=201)
async def add_member(request: Request, body: NewMember) -> MemberView:
    """Add a user, with the rights that this type of chat gives."""
    return await actions.add_member(request.path_params["chat_id"], access_session().user_id, body.user_id)
