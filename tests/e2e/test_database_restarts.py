"""The embedded database ended again and again under load: requests are answered, and the process stays."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.server.embedded import running_database_url
from tests.support.open_loop import OpenLoop
from tests.support.program import Program, open_folder

RECOVERY_SECONDS = 5.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


async def database_is_back(folder: Path) -> None:
    """Return when the embedded server answers again: its parent leaves longer and longer pauses."""
    while True:
        url = running_database_url(folder / ".starling")
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if url is not None:
                connection = await asyncpg.connect(url, timeout=1)
                await connection.close()
                return
        await asyncio.sleep(0.02)


async def recovered(program: Program) -> float:
    """Seconds until readiness is green again, from the moment at which the database is back."""
    async with asyncio.timeout(30):
        await database_is_back(program.folder)
    began = time.monotonic()
    while not await asyncio.to_thread(program.is_ready):
        assert time.monotonic() - began < RECOVERY_SECONDS + 5
        await asyncio.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.faults
async def test_twenty_ends_of_the_database_under_load(folder: Path) -> None:
    settings = {"HTTP__WORKERS": "2", "LOGGER__LEVEL": "error"}
    with Program(folder, settings) as program:
        await asyncio.to_thread(program.wait_until_ready)
        parent, workers = program.process.pid, {one.pid for one in program.workers()}
        # A token that nobody issued asks the database at every request: a public route would not notice.
        load = OpenLoop(program.port, "/api/partners", "Authorization: Bearer nobody.knows.this\r\n")
        slowest = 0.0
        async with load.running(per_second=100):
            for number in range(20):
                await asyncio.sleep(0.5)
                postgres = await asyncio.to_thread(program.postgres)
                postgres.send_signal(signal.SIGKILL if number % 2 else signal.SIGQUIT)
                await asyncio.to_thread(postgres.wait, 10)
                slowest = max(slowest, await recovered(program))
        assert slowest < RECOVERY_SECONDS, f"{slowest:.1f} s, {load.answers}"
        assert set(load.answers) <= {"200", "401", "503", "504"}, load.answers
        assert program.process.pid == parent
        assert {one.pid for one in program.workers()} == workers
        assert program.stop() == 0
