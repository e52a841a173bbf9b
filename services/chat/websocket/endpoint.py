"""The handshake of /ws/chat: every refusal is a close with its code on an accepted socket, which browsers can
read.
"""

import logging

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.core.environment import Environment
from app.core.request_context import request_id
from app.http.settings import HttpSettings
from app.realtime import CloseCode, Connection, transport_of
from app.realtime.direct import frames_are_alike
from services.chat.websocket.handshake import is_allowed_origin, read_offer
from services.chat.websocket.socket import ChatSocket

_logger = logging.getLogger(__name__)


class ChatEndpoint:
    """An ASGI application for sockets."""

    def __init__(self) -> None:
        self._may_be_direct = frames_are_alike()
        if not self._may_be_direct:
            _logger.warning(
                "sockets are written to by ASGI only, which is slower: frames are not as expected"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is over."""
        env: Environment = scope["app"].state.env
        offer = read_offer(scope.get("subprotocols", ()))
        connection = Connection(
            receive, send, transport=transport_of(scope), may_be_direct=self._may_be_direct
        )
        async with connection:
            if not await connection.accept(offer.subprotocol):
                return
            headers = Headers(scope=scope)
            listed = env.settings.section(HttpSettings).cors_origins
            if not is_allowed_origin(headers.getlist("origin"), headers.get("host"), listed=listed):
                connection.close(CloseCode.ORIGIN)
                return
            await ChatSocket(env, connection, request_id=request_id.get()).run(offer.token)
