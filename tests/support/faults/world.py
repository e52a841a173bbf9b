"""A program under load, and what can be done to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from app.server.embedded import running_database_url
from tests.support.data_dirs import copy_data_dir
from tests.support.faults.load import BaseLoad, Outcome
from tests.support.faults.people import LASTING, People
from tests.support.program import Program, open_folder

WORKERS: Final = 2
SETTINGS: Final = LASTING | {
    "HTTP__WORKERS": str(WORKERS),
    "HTTP__MAX_CONNECTIONS_PER_ADDRESS": "5000",
    "LOGGER__LEVEL": "error",
}
"""All clients have one address here. And log lines are not what is looked at: an access log of all requests
would be megabytes."""

_LISTENING: Final = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND query ~ 'LISTEN|NOTIFY|pg_notify|^SELECT 1$'"
)


class World:
    """`load` runs on `program` while a test does its worst. The database is the program's own."""

    def __init__(self, program: Program, load: BaseLoad, folder: Path) -> None:
        self.program = program
        self.load = load
        self._folder = folder

    @property
    def database_url(self) -> str:
        """Where the database is now. Raises AssertionError when there is none."""
        if "DATABASE__URL" in self.program.settings:
            return self.program.settings["DATABASE__URL"]
        url = running_database_url(self._folder / ".starling")
        assert url is not None, "the database is away"
        return url

    def kill_a_worker(self, number: int) -> None:
        """One of the workers is gone without a word."""
        workers = self.program.workers()
        self.load.fault()
        if workers:
            workers[number % len(workers)].kill()

    async def end_listeners(self) -> int:
        """The connections on which the workers hear each other are ended. How many there were."""
        connection = await asyncpg.connect(self.database_url)
        try:
            self.load.fault()
            return int(await connection.fetchval(_LISTENING))
        finally:
            await connection.close()

    async def database_is_back(self) -> None:
        """Return when it answers."""
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(
                    OSError, AssertionError, asyncpg.PostgresError, asyncpg.InterfaceError
                ):
                    await (await asyncpg.connect(self.database_url, timeout=1)).close()
                    return
                await asyncio.sleep(0.05)


@contextmanager
def copied(crowd: Path) -> Iterator[Path]:
    """A folder with a copy of the data folder in `crowd`."""
    with open_folder() as folder:
        copy_data_dir(crowd / ".starling", folder / ".starling")
        yield folder


@asynccontextmanager
async def world_under_load(
    folder: Path, people: People, *, per_second: float = 200.0, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[World, list[Outcome]]]:
    """The program in `folder` under load; the list has the outcome once the block is left."""
    outcomes: list[Outcome] = []
    with Program(folder, {**SETTINGS, **(settings or {})}) as program:
        await asyncio.to_thread(program.wait_until_ready)
        load = BaseLoad(program.port, people, per_second=per_second)
        world = World(program, load, folder)
        async with load.running():
            yield world, outcomes
        outcomes.append(await load.outcome(world.database_url))
        assert await asyncio.to_thread(program.stop) == 0, program.errors()[-2000:]
