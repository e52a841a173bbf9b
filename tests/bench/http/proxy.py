"""Counts what a program waits for at its database: a proxy of PostgreSQL's protocol, outside of any timing.

A round trip is a message that the client ends its turn with: a simple query, or the Sync or Flush behind a
group of messages of the extended protocol."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tests.bench.orm.common import connection_arguments

_TURNS: Final = frozenset((b"Q", b"S", b"H"))  # Query, Sync, Flush
_WANTS_TLS: Final = struct.pack("!ii", 8, 80877103)
_CHUNK: Final = 1 << 16


class Proxy:
    """A proxy while it runs. `round_trips` counts over all connections."""

    def __init__(self, url: str) -> None:
        self.round_trips = 0
        self.url = ""
        self._target = connection_arguments(url)
        self._programs: set[asyncio.StreamWriter] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a program."""
        self._programs.add(writer)
        host, port = self._target["host"], self._target["port"]
        if host.startswith("/"):
            back, there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            back, there = await asyncio.open_connection(host, port)
        answers = asyncio.create_task(_copy(back, writer))
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._count(reader, writer, there)
        finally:
            there.close()
            writer.close()
            self._programs.discard(writer)
            await answers

    def close(self) -> None:
        """End all connections."""
        for writer in self._programs:
            writer.close()

    async def _count(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamWriter
    ) -> None:
        first = await _message(reader, b"")  # the first one has no type
        if first == _WANTS_TLS:
            writer.write(b"N")
            first = await _message(reader, b"")
        there.write(first)
        while True:
            kind = await reader.readexactly(1)
            there.write(await _message(reader, kind))
            self.round_trips += kind in _TURNS
            await there.drain()


async def _message(reader: asyncio.StreamReader, kind: bytes) -> bytes:
    """A message with its type and its length."""
    length = await reader.readexactly(4)
    return kind + length + await reader.readexactly(struct.unpack("!i", length)[0] - 4)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the server hangs up, which some programs wait for at the end of a connection."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def counting(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the database of `url`; its own `url` leads through it."""
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    user = parts.username or connection_arguments(url).get("user", "postgres")
    password = f":{parts.password}" if parts.password else ""
    proxy.url = urlunsplit(
        parts._replace(netloc=f"{user}{password}@127.0.0.1:{port}", query="sslmode=disable")
    )
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()
