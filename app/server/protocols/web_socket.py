"""uvicorn's WebSocket protocol with three things more: the application can end a connection at once, a
handshake that cannot be answered is refused in our one shape, and the connection is counted.

ASGI knows only the ordinary close, which first writes out what is buffered: for ever, when the peer does
not read. The transport goes into the scope's `extensions`, where the realtime layer looks for it."""

import asyncio
from typing import Any, Final

from starlette.exceptions import HTTPException
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.core.errors import Malformed, Unavailable
from app.http.answers import REQUEST_ID
from app.realtime.connection import TRANSPORT_EXTENSION
from app.server.protocols.guard import guard_of

_SWITCHING_PROTOCOLS: Final = 101


class SocketProtocol(WebSocketsSansIOProtocol):
    """See the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard_of(self.config)
        self._is_stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it: it was not counted as a request's connection any more."""
        super().connection_made(transport)
        self._guard.enter(self.client and self.client[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        self._guard.leave(self.client and self.client[0])

    async def send(self, message: Any) -> None:
        """Send, and forget the handshake once it is answered: 3 kB of headers that nobody reads again."""
        await super().send(message)
        if self.handshake_complete:
            self.request = self.response = None  # type: ignore[assignment]

    async def run_asgi(self) -> None:
        """Serve the application, the transport in its scope."""
        extensions: dict[str, Any] = {**(self.scope["extensions"] or {}), TRANSPORT_EXTENSION: self.transport}
        self.scope["extensions"] = extensions
        await super().run_asgi()

    def data_received(self, data: bytes) -> None:
        """Take in frames; the first piece is the whole handshake, which an HTTP protocol has read before."""
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse(Malformed(f"That is no WebSocket handshake: {self.conn.handshake_exc}."))

    def handle_connect(self, event: Request) -> None:
        """Begin with a handshake that a WebSocket can follow, and refuse any other."""
        self.handshake_initiated = True
        answer = self.conn.accept(event)
        if answer.status_code == _SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            allow = answer.headers.get("Allow")
            headers = {"Allow": allow} if allow else None
            self._refuse(HTTPException(answer.status_code, f"{self.conn.handshake_exc}.", headers))

    def begin_stop(self) -> None:
        """Say goodbye: a socket has no last answer to wait for."""
        self.shutdown()

    def end_if_idle(self) -> None:
        """It has said goodbye already."""

    def shutdown(self) -> None:
        """Say goodbye with 1012; to a handshake that was not answered, 503."""
        self._is_stopping = True
        super().shutdown()

    def send_500_response(self) -> None:
        """Refuse a handshake in whose midst the application failed, or the process is told to stop."""
        if not (self.initial_response or self.handshake_complete):
            stopping = Unavailable("This process is stopping: come back in a moment.")
            self._refuse(stopping if self._is_stopping else RuntimeError())

    def _refuse(self, problem: Exception) -> None:
        scope: Any = getattr(self, "scope", {})
        request_id = scope.get(REQUEST_ID) or self._guard.choose_id(scope.get("headers"))
        self.handshake_complete = self.close_sent = True
        self.transport.write(self._guard.refusal(problem, request_id))
        self.transport.close()
