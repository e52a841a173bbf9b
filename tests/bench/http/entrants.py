"""Who takes part: started, checked and counted through a proxy first, then started for being timed."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.bench.cores import Cores
from tests.bench.http.check import WrongAnswer, check, check_rule
from tests.bench.http.contestant import Contestant
from tests.bench.http.dialects import Dialect, PiccoloDialect, PlainDialect
from tests.bench.http.proxy import counting
from tests.bench.http.round_trips import published, round_trips
from tests.bench.http.servers import ServerFailed, free_port, python, server
from tests.bench.http.world import SECRET, World
from tests.bench.peers import PeerMissing, python_of, versions_of

_MODULES: Final = "tests.bench.http.contestants"


@dataclass(frozen=True)
class Entry:
    """A contestant: its title in the tables; unless it is Starling, its module, how it is asked, and the peer
    whose environment it needs."""

    title: str
    module: str = ""
    dialect: Dialect = field(default_factory=PlainDialect)
    peer: str | None = None
    others: Mapping[str, Dialect] = field(default_factory=dict)


ENTRIES: Final = {
    "limit": Entry(
        "limit: Starlette + asyncpg + msgspec",
        f"{_MODULES}.limit",
        others={"JSON built by PostgreSQL": PlainDialect("/json")},
    ),
    "admin": Entry("Starling, administrator"),
    "user": Entry("Starling, user under a rule"),
    "sqlalchemy": Entry("FastAPI + SQLAlchemy", f"{_MODULES}.fastapi_sqlalchemy", peer="fastapi-sqlalchemy"),
    "tortoise": Entry("FastAPI + Tortoise", f"{_MODULES}.fastapi_tortoise", peer="fastapi-tortoise"),
    "litestar": Entry("Litestar + advanced-alchemy", f"{_MODULES}.litestar", peer="litestar"),
    "piccolo": Entry("PiccoloCRUD", f"{_MODULES}.piccolo_crud", PiccoloDialect(), "piccolo-crud"),
}
BASE: Final = ENTRIES["limit"].title
ADMIN: Final = ENTRIES["admin"].title
USER: Final = ENTRIES["user"].title
PEERS: Final = tuple(entry.title for entry in ENTRIES.values() if entry.peer)


class Entrants:
    """Lets contestants in. `notes` says who could not come, and why; `round_trips` is by title and case."""

    def __init__(self, world: World, cores: Cores, folder: Path) -> None:
        self.notes: list[str] = []
        self.round_trips: dict[str, dict[str, float]] = {}
        self.versions: dict[str, str] = {}
        self._world = world
        self._cores = cores
        self._folder = folder

    async def enter(self, name: str, stack: AsyncExitStack) -> Contestant | None:
        """The contestant of that name, its answers being right, up for as long as `stack` is; else None."""
        entry = ENTRIES[name]
        try:
            if not entry.module:
                return await self._ours(self._world.admin if name == "admin" else self._world.user)
            interpreter = None
            if entry.peer is not None:
                interpreter = await asyncio.to_thread(python_of, entry.peer, self._folder)
                self.versions |= versions_of(entry.peer, interpreter)
            async with AsyncExitStack() as rehearsal:
                proxy = await rehearsal.enter_async_context(counting(self._world.url))
                one = await self._started(entry, interpreter, proxy.url, rehearsal)
                await self._checked(one)

                async def count() -> float:
                    return proxy.round_trips

                self.round_trips[one.title] = await round_trips(one, self._world.products, count)
                await self._world.tidy()
            return await self._started(entry, interpreter, self._world.url, stack)
        except (PeerMissing, ServerFailed, WrongAnswer, httpx.HTTPError) as error:
            self.notes.append(f"{entry.title} is missing: {str(error) or type(error).__name__}")
            return None

    async def _ours(self, one: Contestant) -> Contestant:
        await self._checked(one)
        if one is self._world.user:
            await check_rule(one, self._world.foreign_id)
        counter = published(one.server.base)
        self.round_trips[one.title] = await round_trips(one, self._world.products, counter)
        await self._world.tidy()
        return one

    async def _checked(self, one: Contestant) -> None:
        try:
            await check(self._world.connection, one, self._world.products)
        finally:
            await self._world.tidy()

    async def _started(
        self, entry: Entry, interpreter: Path | None, url: str, stack: AsyncExitStack
    ) -> Contestant:
        port = free_port()
        environ = {"BENCH_DATABASE_URL": url, "BENCH_PORT": str(port), "BENCH_SECRET": SECRET}
        running = await stack.enter_async_context(
            server(
                entry.title,
                python(entry.module, interpreter),
                environ,
                port=port,
                core=self._cores.client,
                ready="/products/1",
            )
        )
        return Contestant(entry.title, running, entry.dialect, self._world.token(), entry.others)
