"""An edge with a few routes behind each of the two HTTP protocols."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from starlette.websockets import WebSocket

from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.routing import Router
from app.http.settings import HttpSettings
from app.server.protocols.with_h11 import H11Connection
from app.server.protocols.with_httptools import HttptoolsConnection
from tests.support.fake_environment import FakeEnvironment
from tests.support.served import Served, served


class NewThing(Body):
    name: str


class World(Served):
    """`asked` is set while GET /slow waits for `go`."""

    def __init__(self, server: Served, asked: asyncio.Event, go: asyncio.Event) -> None:
        super().__init__(server.port, server.guard, server.server)
        self.asked = asked
        self.go = go


Serve = Callable[[HttpSettings], AbstractAsyncContextManager[World]]


def edge(asked: asyncio.Event, go: asyncio.Event, http: HttpSettings) -> Edge:
    router = Router()

    @router.get("/quick")
    async def quick(request: Request) -> str:
        return "quick"

    @router.get("/slow")
    async def slow(request: Request) -> str:
        asked.set()
        await go.wait()
        return "slow"

    @router.get("/long")
    async def long(request: Request) -> str:
        asked.set()
        return "x" * 20_000_000

    @router.post("/things", body=NewThing)
    async def make(request: Request, body: NewThing) -> NewThing:
        return body

    @router.post("/unread")
    async def unread(request: Request) -> str:
        asked.set()
        await go.wait()
        return "unread"

    @router.websocket("/ws")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive()

    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    return Edge(dispatcher, env=FakeEnvironment(http))


@pytest.fixture(params=[HttptoolsConnection, H11Connection], ids=["httptools", "h11"])
def serve(request: pytest.FixtureRequest) -> Serve:
    @asynccontextmanager
    async def start(http: HttpSettings) -> AsyncIterator[World]:
        asked, go = asyncio.Event(), asyncio.Event()
        async with served(edge(asked, go, http), request.param, http) as server:
            world = World(server, asked, go)
            try:
                yield world
            finally:
                go.set()
                world.hang_up()

    return start


@pytest.fixture
async def world(serve: Serve) -> AsyncIterator[World]:
    async with serve(HttpSettings(max_header_bytes=4096)) as started:
        yield started
