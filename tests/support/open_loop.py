"""Requests at a fixed rate, whether or not earlier ones were answered: what users do to a server.

Half of them on connections of their own, half on connections that are kept and used again while they were
idle for less than half a second, as clients with a sensible pool do. Whatever does not come back with 200 has
failed.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from time import monotonic
from typing import Final

_REUSE_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 30.0

_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class OpenLoop:
    """The load while it runs. `answers` counts by status, or by the name of the error."""

    def __init__(self, port: int, path: str, headers: str = "") -> None:
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self._port = port
        self._head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}"
        self._kept: list[tuple[float, _Line]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def failed(self) -> dict[str, int]:
        """What did not come back with 200."""
        return {what: count for what, count in self.answers.items() if what != "200"}

    @contextlib.asynccontextmanager
    async def running(self, per_second: float) -> AsyncIterator[None]:
        """Inside the block requests are sent; on return all of them have come to an end."""
        sending = asyncio.create_task(self._send(per_second))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            if self._tasks:
                await asyncio.wait(self._tasks)
            for _, (_, writer) in self._kept:
                writer.close()

    async def _send(self, per_second: float) -> None:
        began, number = monotonic(), 0
        while True:
            number += 1
            task = asyncio.create_task(self._ask(keep=number % 2 == 0))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(max(0.0, began + number / per_second - monotonic()))

    async def _ask(self, *, keep: bool) -> None:
        began = monotonic()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                status = await self._answer(keep=keep)
        except (OSError, EOFError, TimeoutError) as error:
            status = type(error).__name__
        self.answers[status] += 1
        self.slowest = max(self.slowest, monotonic() - began)

    async def _answer(self, *, keep: bool) -> str:
        reader, writer = (self._fresh() if keep else None) or await asyncio.open_connection(
            "127.0.0.1", self._port
        )
        goes_on = False
        try:
            writer.write(
                f"{self._head}{'' if keep else 'Connection: close'}\r\n".encode().rstrip() + b"\r\n\r\n"
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            await reader.readexactly(length)
            goes_on = keep and "connection: close" not in head
        finally:
            if goes_on:
                self._kept.append((monotonic(), (reader, writer)))
            else:
                writer.close()
        return head.split(" ")[1]

    def _fresh(self) -> _Line | None:
        while self._kept:
            idle_since, line = self._kept.pop()
            if monotonic() - idle_since < _REUSE_SECONDS and not line[0].at_eof():
                return line
            line[1].close()
        return None
