"""What most people write: Starlette, a set of sockets, `send_json` to all of them in a gather, a NOTIFY for
each message."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def make_app(url: str) -> Starlette:
    """The application."""
    sockets: set[WebSocket] = set()
    tasks: set[asyncio.Task[Any]] = set()

    async def broadcast(message: Any) -> None:
        await asyncio.gather(*(one.send_json(message) for one in sockets), return_exceptions=True)

    def arrived(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
        task = asyncio.create_task(broadcast(json.loads(payload)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        listening = await asyncpg.connect(url)
        await listening.add_listener("naive", arrived)
        async with asyncpg.create_pool(url, min_size=1, max_size=5) as app.state.pool:
            yield
        await listening.close()

    async def publish(request: Request) -> Response:
        message = await request.json()
        await request.app.state.pool.execute("SELECT pg_notify('naive', $1)", json.dumps(message))
        return Response(status_code=201)

    async def socket(opened: WebSocket) -> None:
        await opened.accept()
        sockets.add(opened)
        try:
            while True:
                await opened.receive_text()
        except WebSocketDisconnect:
            sockets.discard(opened)

    async def index(_request: Request) -> Response:
        return Response()

    routes = [Route("/", index), Route("/publish", publish, methods=["POST"]), WebSocketRoute("/ws", socket)]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    # Compression off as everywhere here: it would double the cost again.
    uvicorn.run(
        make_app(sys.argv[2]),
        port=int(sys.argv[1]),
        log_level="error",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
