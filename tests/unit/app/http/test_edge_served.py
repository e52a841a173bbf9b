"""What only a real server and a real connection can show of the edge."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.routing import Router
from app.http.settings import HttpSettings
from tests.support.fake_environment import FakeEnvironment

LIMIT = 10_000
LONG = b'{"name": "' + b"x" * 5_000_000 + b'"}'


class NewThing(Body):
    name: str


@pytest.fixture(params=["httptools", "h11"])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    router = Router()

    @router.post("/things", body=NewThing)
    async def make(request: Request, body: NewThing) -> NewThing:
        return body

    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    edge = Edge(dispatcher, env=FakeEnvironment(HttpSettings(max_body_bytes=LIMIT)))
    config = uvicorn.Config(
        edge,
        http=request.param,
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listening.close()


async def everything(port: int, *pieces: bytes) -> bytes:
    """All that the server says to `pieces` until it closes the connection by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


HEAD = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_a_client_that_sends_too_much_still_reads_its_answer(port: int) -> None:
    length = b"Content-Length: %d\r\n\r\n" % len(LONG)
    said = await everything(port, HEAD + length, LONG)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in said
    assert b'"urn:starling:too_large"' in said
    assert said.count(b"HTTP/1.1") == 1


async def test_a_client_that_sends_too_much_in_chunks_still_reads_its_answer(port: int) -> None:
    chunks = [b"%x\r\n%s\r\n" % (100_000, b"x" * 100_000) for _ in range(20)]
    said = await everything(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b'"urn:starling:too_large"' in said


async def test_a_client_that_waits_for_leave_to_send_is_refused_at_once(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.body_limit._PAUSE_SECONDS", 0.05)
    length = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(LONG)
    said = await everything(port, HEAD + length)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in said


async def test_head_and_a_connection_that_goes_on(port: int) -> None:
    first = HEAD + b'Content-Length: 12\r\n\r\n{"name":"a"}'
    second = b"HEAD /nothing HTTP/1.1\r\nHost: x\r\nX-Request-ID: second\r\nConnection: close\r\n\r\n"
    said = await everything(port, first, second)
    one, _, two = said.partition(b"HTTP/1.1 404 ")
    assert one.startswith(b"HTTP/1.1 200 ")
    assert one.endswith(b'{"name":"a"}')
    assert b"x-request-id: second" in two
    assert two.endswith(b"\r\n\r\n")


async def test_a_refused_handshake_carries_its_problem(port: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{port}/ws/nothing")
    response = refused.value.response
    assert response.status_code == 404
    assert response.headers["x-worker"] == "w0rker"
    assert response.headers["x-request-id"]
    assert b'"urn:starling:not_found"' in (response.body or b"")
