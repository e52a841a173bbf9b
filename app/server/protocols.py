"""uvicorn's WebSocket protocol with one thing more: the application can end a connection at once.

ASGI knows only the ordinary close, which first writes out what is buffered: for ever, when the peer does
not read. The transport goes into the scope's `extensions`, where the realtime layer looks for it."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.realtime.connection import TRANSPORT_EXTENSION


class SocketProtocol(WebSocketsSansIOProtocol):
    """Gives its transport to the application."""

    async def run_asgi(self) -> None:
        """Serve the application, the transport in its scope."""
        extensions: dict[str, Any] = {**(self.scope["extensions"] or {}), TRANSPORT_EXTENSION: self.transport}
        self.scope["extensions"] = extensions
        await super().run_asgi()
