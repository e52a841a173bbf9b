"""Workers that can be reached over the network, in the process of the test, and clients that talk and
listen.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from app.server.protocols import SocketProtocol
from tests.integration.services.chat.world import Person


class _WithoutSignals(uvicorn.Server):
    """A uvicorn that leaves the signals of the test run alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """The port on which an application that was started answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        interface="asgi3",
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = _WithoutSignals(config)
    task = asyncio.create_task(server.serve([listener]), name="uvicorn")
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task


async def whole_log(who: Person, chat_id: int) -> list[dict[str, object]]:
    """All events of a chat."""
    found: list[dict[str, object]] = []
    while True:
        page = await who.get(f"/chats/{chat_id}/events?since={len(found)}&limit=500")
        assert page["reset"] is False
        found += page["data"]
        if len(page["data"]) < 500:
            return found


async def all_messages(who: Person, chat_id: int) -> list[dict[str, object]]:
    """All messages of a chat, newest first."""
    found: list[dict[str, object]] = []
    before = ""
    while True:
        page = await who.get(f"/chats/{chat_id}/messages?limit=200{before}")
        found += page["data"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"
