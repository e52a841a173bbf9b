"""/ws/chat. Public, because the token comes on the socket itself."""

from starlette.routing import WebSocketRoute

from app.http.routing import Router
from services.chat.websocket.endpoint import ChatEndpoint

router_public = Router()
router_public.routes.append(WebSocketRoute("/ws/chat", ChatEndpoint(), name="chat_socket"))
