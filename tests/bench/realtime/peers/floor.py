"""The floor: uvicorn's own WebSocket protocol without a framework; each message is framed once and written to
the transports, and what gathers within two milliseconds is one NOTIFY. No rights, no log, no resume."""

import asyncio
import sys
from typing import Any

import asyncpg
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

_GATHER_SECONDS = 0.002


class Protocol(WebSocketsSansIOProtocol):
    """Tells the application which transport a socket has."""

    async def run_asgi(self) -> None:
        """Serve it."""
        self.scope["extensions"] = {"transport": self.transport}  # type: ignore[dict-item]
        await super().run_asgi()


class Floor:
    """An ASGI application."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._transports: set[Any] = set()
        self._waiting: list[str] = []
        self._wakes = asyncio.Event()
        self._connection: Any = None

    async def start(self) -> None:
        """Listen."""
        self._connection = await asyncpg.connect(self._url)
        await self._connection.add_listener("floor", self._arrived)

    async def send_gathered(self) -> None:
        """Publish, for ever."""
        while True:
            await self._wakes.wait()
            self._wakes.clear()
            gathered, self._waiting = self._waiting, []
            await self._connection.execute("SELECT pg_notify('floor', unnest($1::text[]))", gathered)
            await asyncio.sleep(_GATHER_SECONDS)

    def _arrived(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        frame = Frame(Opcode.TEXT, payload.encode()).serialize(mask=False)
        for transport in self._transports:
            transport.write(frame)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request or a socket."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            transport = scope["extensions"]["transport"]
            self._transports.add(transport)
            while (await receive())["type"] != "websocket.disconnect":
                pass
            self._transports.discard(transport)
            return
        if scope["method"] == "POST":
            self._waiting.append((await receive())["body"].decode())
            self._wakes.set()
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def main() -> None:
    """Serve until the process is ended."""
    app = Floor(sys.argv[2])
    await app.start()
    sending = asyncio.create_task(app.send_gathered())
    config = uvicorn.Config(
        app,
        port=int(sys.argv[1]),
        ws=Protocol,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="error",
    )
    await uvicorn.Server(config).serve()
    sending.cancel()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(main())
