"""A person who listens to his chat and counts what he misses or hears twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from services.chat.client import ChatClient, Happened, Live, Lost, Notice, Reset
from tests.support.faults.people import Person


class Listener:
    """One client of /ws/chat. Keeps numbers only, so that it may listen for hours."""

    def __init__(self, url: str, person: Person) -> None:
        self.is_live = False
        self.lost = 0
        self.doubled = 0
        self.connections = 0
        self._person = person
        self._seq = 0
        self.client = ChatClient(url, self._token, longest_wait_seconds=0.5)

    async def _token(self, rejected: str | None) -> str:
        assert rejected is None, "nobody was signed out"
        return self._person.token

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Inside the block it is connected, again and again if need be."""
        async with self.client:
            task = asyncio.create_task(self._listen())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])

    def begin(self, heads: Mapping[int, int]) -> None:
        """Everything behind `heads`, by chat, has to be told from now on."""
        self._seq = heads[self._person.chat_id]
        self.lost = self.doubled = 0

    def missing(self, heads: Mapping[int, int]) -> int:
        """How many events up to `heads`, by chat, were not told."""
        return max(0, heads[self._person.chat_id] - self._seq)

    async def _listen(self) -> None:
        async for notice in self.client:
            self._note(notice)

    def _note(self, notice: Notice) -> None:
        if isinstance(notice, Live):
            self.is_live = True
            self.connections += 1
        elif isinstance(notice, Lost):
            self.is_live = False
        elif isinstance(notice, Reset):
            self._seq = notice.seq
        elif isinstance(notice, Happened):
            seq = notice.event.get("seq")
            if seq is None or notice.event.get("chat_id") != self._person.chat_id:
                return
            self.lost += max(0, seq - self._seq - 1)
            self.doubled += seq <= self._seq
            self._seq = seq
