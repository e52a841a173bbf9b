"""The connection on the server that we run: what a socket gets when it reads, and when it does not."""

import asyncio
import base64
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.realtime import CloseCode, Connection, Frame, transport_of
from app.server.protocols import SocketProtocol
from tests.support.eventually import eventually

Serve = Callable[[Connection], Awaitable[None]]


class Server:
    """A uvicorn with one application: a handler of connections that the test sets."""

    def __init__(self, *, may_be_direct: bool) -> None:
        self.may_be_direct = may_be_direct
        self.connections: list[Connection] = []
        self.handle: Serve = self.read_on
        self.running = 0
        self.port = 0

    async def read_on(self, connection: Connection) -> None:
        """Echo until the end."""
        while (text := await connection.receive()) is not None:
            connection.send_nowait(Frame(text.encode()))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        self.running += 1
        try:
            async with Connection(
                receive,
                send,
                transport=transport_of(scope),
                may_be_direct=self.may_be_direct,
                close_seconds=0.3,
            ) as connection:
                await connection.accept("starling.v1")
                self.connections.append(connection)
                await self.handle(connection)
        finally:
            self.running -= 1


class WithoutSignals(uvicorn.Server):
    """A uvicorn that leaves the signals of the test run alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture(params=[True, False], ids=["direct", "by ASGI"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    made = Server(may_be_direct=request.param)
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]
    config = uvicorn.Config(
        made.app,
        interface="asgi3",
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    running = WithoutSignals(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    await eventually(lambda: running.started)
    yield made
    running.should_exit = True
    await task
    listener.close()


async def client(server: Server) -> ClientConnection:
    """It reads unless its transport is told not to."""
    url = f"ws://127.0.0.1:{server.port}/"
    return await open_socket(url, subprotocols=[Subprotocol("starling.v1")], max_queue=None)


async def read_on(peer: ClientConnection) -> None:
    while True:
        await peer.recv()


async def one_that_never_reads(server: Server) -> socket.socket:
    """A socket after its handshake, with the smallest buffer, of which nobody will read."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", server.port))
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(peer, request.encode())
    assert (await loop.sock_recv(peer, 1_000)).startswith(b"HTTP/1.1 101")
    return peer


async def test_texts_travel_both_ways_and_the_subprotocol_is_answered(server: Server) -> None:
    async with await client(server) as peer:
        assert peer.subprotocol == "starling.v1"
        await peer.send("жди 😀")
        assert await peer.recv() == "жди 😀"
    await eventually(lambda: server.running == 0)
    assert server.connections[0].peer_code == 1000


@pytest.mark.parametrize("code", [CloseCode.UNAUTHENTICATED, CloseCode.RESTART, CloseCode.TOO_MANY])
async def test_a_close_comes_with_its_code_and_reason_after_what_was_sent(
    server: Server, code: CloseCode
) -> None:
    async with await client(server) as peer:
        await eventually(lambda: server.connections)
        server.connections[0].send_nowait(Frame(b"last words"))
        server.connections[0].close(code)
        assert await peer.recv() == "last words"
        with pytest.raises(ConnectionClosed) as closed:
            await peer.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, code.reason)
    await eventually(lambda: server.running == 0)


async def test_a_binary_frame_is_refused(server: Server) -> None:
    async with await client(server) as peer:
        await peer.send(b"\0")
        with pytest.raises(ConnectionClosed) as closed:
            await peer.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.PROTOCOL


async def test_one_that_never_reads_is_cut_and_the_others_get_everything(server: Server) -> None:
    stuck = await one_that_never_reads(server)
    async with await client(server) as healthy:
        await eventually(lambda: len(server.connections) == 2)
        stuck_connection, healthy_connection = server.connections
        frame = Frame(b"x" * 10_000)
        for _ in range(2_000):  # 20 MB: more than any buffer on the way
            for connection in server.connections:
                connection.send_nowait(frame)
            assert len(await healthy.recv()) == len(frame)
        assert stuck_connection.closed_with is CloseCode.SLOW
        await stuck_connection.wait_closed()
        await eventually(lambda: server.running == 1)
        assert healthy_connection.closed_with is None
    stuck.close()


async def test_a_slow_one_that_reads_again_learns_that_it_was_slow(server: Server) -> None:
    async with await client(server) as peer:
        await eventually(lambda: server.connections)
        peer.transport.pause_reading()
        connection = server.connections[0]
        while connection.closed_with is None:
            connection.send_nowait(Frame(b"x" * 100_000))
            await asyncio.sleep(0)
        peer.transport.resume_reading()
        with pytest.raises(ConnectionClosed) as closed:
            await read_on(peer)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.SLOW


async def test_frames_keep_their_order_while_the_reader_stops_and_goes_on(server: Server) -> None:
    async with await client(server) as peer:
        await eventually(lambda: server.connections)
        (connection,) = server.connections
        peer.transport.pause_reading()
        number = 0
        for _ in range(3):
            # More than the kernel and the transport take: the rest waits, and is within the bound.
            while not connection.is_congested:
                connection.send_nowait(Frame(b"%d %b" % (number, b"x" * 20_000)))
                number += 1
            peer.transport.resume_reading()
            await eventually(lambda: not connection.is_congested)
            connection.send_nowait(Frame(b"%d " % number))
            number += 1
            peer.transport.pause_reading()
        peer.transport.resume_reading()
        assert [int(str(await peer.recv()).split(" ")[0]) for _ in range(number)] == list(range(number))


async def test_a_connection_that_breaks_ends_its_handler(server: Server) -> None:
    peer = await client(server)
    await eventually(lambda: server.connections)
    peer.transport.abort()
    await eventually(lambda: server.running == 0)
    assert server.connections[0].peer_code is not None
    assert server.connections[0].closed_with is None
