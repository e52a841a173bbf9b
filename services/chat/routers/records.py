"""/records/{model}/{id}/chat: the chat of a record."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.chat import actions
from services.chat.routers.answers import created_reply
from services.chat.schemas import ChatView

router_private = Router(prefix="/records", tags=("chat",))


@router_private.post("/{model}/{record_id:int}/chat", status=201, responses={200: ChatView})
async def open_record_chat(request: Request) -> Reply[ChatView]:
    """Join the chat about a record that one may read. The first one to open it makes it, and manages it.

    `model` is a table or a route. 201 when the chat was made now, else 200.
    """
    parameters = request.path_params
    created = await actions.open_record_chat(
        parameters["model"], parameters["record_id"], access_session().user_id
    )
    return created_reply(created)
