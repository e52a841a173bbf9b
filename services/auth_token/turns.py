"""Lines in which people wait for their turn, one line for each thing that they want."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Line:
    __slots__ = ("people", "turns")

    def __init__(self, at_a_time: int) -> None:
        self.people = 0
        self.turns = asyncio.Semaphore(at_a_time)


class Turns:
    """Lets `at_a_time` through for each key, first come, first served. A line without people is gone."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._lines: dict[bytes, _Line] = {}

    @asynccontextmanager
    async def taken(self, key: bytes) -> AsyncIterator[None]:
        """Inside the block it is one's turn."""
        line = self._lines.setdefault(key, _Line(self._at_a_time))
        line.people += 1
        try:
            async with line.turns:
                yield
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[key]
