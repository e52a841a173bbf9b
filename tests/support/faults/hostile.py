"""Clients that mean harm, each from an address of its own (all of 127.0.0.0/8 is this machine)."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

Attack = Callable[["Attackers"], Awaitable[None]]

_PIECE: Final = b"x" * 65536


class Attackers:
    """Clients of one address. `heard` counts the statuses that they were answered with."""

    def __init__(self, port: int, address: str) -> None:
        self.heard: Counter[str] = Counter()
        self._port = port
        self._address = address

    async def slow_loris(self) -> None:
        """A head that goes on for ever, byte by byte."""
        async with self._connected() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nName: ")
            async with self._hearing(reader) as reading:
                while not reading.done():
                    writer.write(b"x")
                    await asyncio.wait([reading], timeout=0.5)

    async def header_bomb(self) -> None:
        """Header lines without end, as fast as they are taken."""
        line = b"".join(b"Name-%d: %s\r\n" % (number, b"x" * 1000) for number in range(60))
        await self._pour(b"GET / HTTP/1.1\r\nHost: x\r\n", line)

    async def body_bomb(self) -> None:
        """A body of a gigabyte, of which the length is told."""
        await self._pour(_post(b"/signin", b"Content-Length: 1000000000"), _PIECE)

    async def chunked_bomb(self) -> None:
        """A body without end, in chunks."""
        chunk = b"%x\r\n%s\r\n" % (len(_PIECE), _PIECE)
        await self._pour(_post(b"/signin", b"Transfer-Encoding: chunked"), chunk)

    async def deep_bomb(self) -> None:
        """A body that is all brackets."""
        body = b"[" * 500_000
        await self._pour(_post(b"/signin", b"Content-Length: %d" % len(body)) + body, b"")

    async def hoard(self) -> None:
        """A body of 100 kB, of which the last byte never comes."""
        await self._pour(_post(b"/signin", b"Content-Length: 100000") + b" " * 99_999, b"")

    async def guess(self) -> None:
        """A password that is wrong."""
        body = b'{"login": "user1", "password": "wrong"}'
        await self._pour(
            _post(b"/signin", b"Connection: close\r\nContent-Length: %d" % len(body)) + body, b""
        )

    @asynccontextmanager
    async def at_once(self, count: int, *attacks: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Inside the block so many of them attack, each again and again."""

        async def go_on(attack: Callable[[], Awaitable[None]]) -> None:
            while True:
                await attack()
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(go_on(one)) for one in itertools.islice(itertools.cycle(attacks), count)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._address, 0)
            )
            yield reader, writer
        except OSError as error:
            self.heard[type(error).__name__] += 1
            await asyncio.sleep(0.05)
        finally:
            if writer is not None:
                writer.close()

    async def _pour(self, head: bytes, rest: bytes) -> None:
        """Say `head`, then `rest` for as long as somebody takes it, at 6 MB a second at most."""
        async with self._connected() as (reader, writer):
            writer.write(head)
            async with self._hearing(reader) as reading:
                while not reading.done():
                    if rest:
                        with contextlib.suppress(OSError):
                            writer.write(rest)
                            await writer.drain()
                    await asyncio.wait([reading], timeout=0.01 if rest else None)

    @asynccontextmanager
    async def _hearing(self, reader: asyncio.StreamReader) -> AsyncIterator["asyncio.Task[None]"]:
        """The task that is done when an answer has begun; it is over after the block."""
        reading = asyncio.create_task(self._hear(reader))
        try:
            yield reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            line = await reader.readline()
        except OSError as error:
            self.heard[type(error).__name__] += 1
            return
        self.heard[line.split(b" ", 2)[1].decode() if line.startswith(b"HTTP/") else "closed"] += 1


def _post(path: bytes, header: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n\r\n" % (path, header)
