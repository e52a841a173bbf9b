"""A project of notes, started twice on one database: two workers to each other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

import httpx

from orm import Char, DotModel
from tests.support.application import PASSWORD, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels


class Gate:
    """Where the making of a note waits until a test lets it go on."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.is_open = asyncio.Event()
        self.is_open.set()

    def close(self) -> None:
        """The next note waits."""
        self.arrived.clear()
        self.is_open.clear()


class Note(DotModel):
    """A model of a project of its own."""

    __table__ = "notes"
    gate: ClassVar[Gate | None] = None

    name: str = Char(max_length=20, required=True)
    code: str | None = Char(max_length=20, unique=True)

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        """Wait at the gate."""
        gate = Note.gate
        if gate is not None:
            gate.arrived.set()
            await gate.is_open.wait()


class Models(IdentityModels):
    note = Note


class Workers:
    """Two applications on one database, and an administrator's client at each."""

    def __init__(self, running: list[RunningApplication], clients: list[httpx.AsyncClient]) -> None:
        self.running = running
        self.clients = clients

    async def count(self, table: str, where: str = "TRUE") -> int:
        """How many rows a table has."""
        found: int = await self.running[0].env.db.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
        return found


@asynccontextmanager
async def two_workers(database_url: str) -> AsyncIterator[Workers]:
    """Both started, the tables of notes empty."""
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(
                running_application(database_url, models=Models, apps=IdentityApps)
            )
            for _ in range(2)
        ]
        token = (await running[0].sign_in("admin", PASSWORD))["access_token"]
        yield Workers(running, [await one.client(token=token) for one in running])
