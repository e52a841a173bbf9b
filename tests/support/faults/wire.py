"""Requests over plain sockets, as clients with a sensible pool send them: a connection is kept and used again
while it was idle for less than half a second. Cheap enough for hundreds a second beside the server.
"""

import asyncio
from time import monotonic
from typing import Final, NamedTuple

_REUSE_SECONDS: Final = 0.5

_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Got(NamedTuple):
    """An answer."""

    status: int
    body: bytes


class Wire:
    """Asks the server on a port of this machine, from one of its addresses, with as many connections as it
    takes."""

    def __init__(self, port: int, *, address: str = "127.0.0.1", answer_seconds: float = 30.0) -> None:
        self._port = port
        self._address = address
        self._answer_seconds = answer_seconds
        self._kept: list[tuple[float, _Line]] = []

    async def ask(
        self, method: str, path: str, *, token: str = "", body: bytes = b"", headers: str = ""
    ) -> Got:
        """The answer. Raises OSError, EOFError or TimeoutError where there is none.

        `headers` are further lines, each with its end."""
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{bearer}{content}{headers}\r\n"
        async with asyncio.timeout(self._answer_seconds):
            return await self._answer(head.encode() + body)

    async def close(self) -> None:
        """Close what is kept."""
        kept, self._kept = [writer for _, (_, writer) in self._kept], []
        for writer in kept:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in kept), return_exceptions=True)

    async def _answer(self, message: bytes) -> Got:
        reader, writer = self._fresh() or await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self._address, 0)
        )
        goes_on = False
        try:
            writer.write(message)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
            body = await reader.readexactly(length)
            goes_on = "connection: close" not in head
        finally:
            if goes_on:
                self._kept.append((monotonic(), (reader, writer)))
            else:
                writer.close()
        return Got(int(head.split(" ", 2)[1]), body)

    def _fresh(self) -> _Line | None:
        while self._kept:
            idle_since, line = self._kept.pop()
            if monotonic() - idle_since < _REUSE_SECONDS and not line[0].at_eof():
                return line
            line[1].close()
        return None
