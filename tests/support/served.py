"""An application behind uvicorn with our protocols, on a port of this machine; and raw talk with it.

async with served(app, http=HttpSettings(max_header_bytes=4096)) as server:
    said = await server.says(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from app.http.settings import HttpSettings
from app.server.protocols import Guard, GuardedConfig, SocketProtocol
from app.server.uvicorn_server import Server
from tests.support.eventually import eventually

ANSWER_SECONDS = 10.0


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end, which may be a reset: who still sends to a connection that was closed is
    answered with one."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while some := await reader.read(65536):
            said += some
    return said


class Said(NamedTuple):
    """One answer, as it was read off a connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as the problem that it has to be."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["x-request-id"]
        assert self.headers["x-worker"]
        decoded: dict[str, Any] = json.loads(self.body)
        assert decoded["status"] == self.status
        assert decoded["instance"] == self.headers["x-request-id"]
        return decoded


class Served:
    """A server that runs: `guard` counts its connections."""

    def __init__(self, port: int, guard: Guard, server: Server) -> None:
        self.port = port
        self.guard = guard
        self.server = server
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection, closed at the latest when the server stops."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def settled(self, connections: int) -> None:
        """Return when the server knows of so many connections."""
        await eventually(lambda: self.guard.connections == connections)

    def hang_up(self) -> None:
        """Close all connections of ours."""
        for writer in self._writers:
            writer.close()

    async def says(self, *pieces: bytes, ends: bool = False) -> list[Said]:
        """All answers to `pieces`, until the server closes the connection by itself; `ends`: we close our
        side first."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if ends:
                writer.write_eof()
            async with asyncio.timeout(ANSWER_SECONDS):
                return parsed(await read_all(reader))
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def served(
    app: ASGIApp, protocol: type[asyncio.Protocol], http: HttpSettings | None = None, **options: Any
) -> AsyncIterator[Served]:
    """`app` on a port of its own, behind one of our HTTP protocols."""
    settings = http or HttpSettings()
    guard = Guard(settings, worker="w0rker")
    config = GuardedConfig(
        app,
        guard=guard,
        http=protocol,
        ws=SocketProtocol,
        lifespan="off",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        **{"timeout_keep_alive": 60, "timeout_graceful_shutdown": 1} | options,
    )
    server = Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    running = Served(listening.getsockname()[1], guard, server)
    try:
        yield running
    finally:
        running.hang_up()
        server.stop()
        await serving
        listening.close()


def parsed(stream: bytes) -> list[Said]:
    """The answers that a stream of bytes consists of, each with its length said."""
    answers = []
    while stream:
        head, end, stream = stream.partition(b"\r\n\r\n")
        assert end, f"an answer is cut off: {head!r}"
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(start.split(" ")[1])
        if status == 100:
            continue
        length = int(headers.get("content-length", "0"))
        assert len(stream) >= length, f"a body is cut off: {stream!r}"
        answers.append(Said(status, headers, stream[:length]))
        stream = stream[length:]
    return answers
