"""`starling serve` on its embedded database: start, addresses, workers, stop."""

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.server.embedded import running_database_url
from tests.support.data_dirs import copy_data_dir, served_data_dir
from tests.support.program import Program, open_folder, runs, wait_until


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """Where nothing was started before; on the disk, as users have it."""
    with open_folder() as opened:
        yield opened


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with served_data_dir() as data_dir:
        yield data_dir


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """Where the program was started before."""
    with open_folder(in_memory=True) as opened:
        copy_data_dir(made, opened / ".starling")
        yield opened


def test_a_first_start_takes_seconds_and_says_where_everything_is(empty_folder: Path) -> None:
    with Program(empty_folder) as program:
        program.wait_until_ready()
        # Of the processor, so that a busy machine says the same: some 2, that of initdb left out.
        assert sum(sum(process.cpu_times()[:2]) for process in program.processes()) < 6.0
        base = f"http://127.0.0.1:{program.port}"
        for address in (f"{base}/chat", f"{base}/docs", f"{base}/health/ready"):
            assert address in program.output()
        assert program.get("/health/live").status == 200


def test_connections_are_spread_over_the_workers(folder: Path) -> None:
    with Program(folder, {"HTTP__WORKERS": "2"}) as program:
        program.wait_until_ready()
        answered: set[str] = set()

        def have_both_answered() -> bool:
            answered.add(program.get("/health/live").headers["x-worker"])
            return len(answered) == 2

        wait_until(have_both_answered, "both workers answer")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_leaves_nothing_running(folder: Path, signum: signal.Signals) -> None:
    with Program(folder, {"HTTP__WORKERS": "2"}) as program:
        program.wait_until_ready()
        postgres = program.postgres()
        assert program.stop(signum) == 0
        assert program.processes() == []
        assert not runs(postgres)
        assert "Traceback" not in program.errors()
        # Nothing is left to recover, and nothing to find by the next start.
        assert not (folder / ".starling/postgres/postmaster.pid").exists()
        assert not (folder / ".starling/server.json").exists()
        assert not (folder / ".starling/run").exists()


async def test_a_request_that_hangs_in_the_database_is_503_and_the_end_is_not_late(folder: Path) -> None:
    settings = {"HTTP__STOP_SECONDS": "1", "DATABASE__STATEMENT_TIMEOUT_SECONDS": "600"}
    with Program(folder, settings) as program:
        await asyncio.to_thread(program.wait_until_ready)
        url = running_database_url(folder / ".starling")
        assert url is not None
        locker = await asyncpg.connect(url)
        await locker.execute("BEGIN; LOCK TABLE sign_in_buckets")
        hanging = asyncio.create_task(
            asyncio.to_thread(program.post, "/signin", b'{"login": "a", "password": "b"}')
        )
        while not await locker.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            pass
        began = time.monotonic()
        status = await asyncio.to_thread(program.stop)
        assert status == 0
        assert 1.0 <= time.monotonic() - began < 8.0
        answer = await hanging
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
        locker.terminate()


def test_data_survives_a_restart(empty_folder: Path) -> None:
    with Program(empty_folder) as program:
        program.wait_until_ready()
        assert program.stop() == 0
    made = system_identifier(empty_folder)
    with Program(empty_folder) as program:
        program.wait_until_ready()
    assert system_identifier(empty_folder) == made


def system_identifier(folder: Path) -> bytes:
    """What initdb gave the database, first thing in its control file."""
    return (folder / ".starling/postgres/global/pg_control").read_bytes()[:8]
