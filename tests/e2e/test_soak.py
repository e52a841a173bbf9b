"""The program under a modest load for half an hour: memory, tasks and files stay as they are.

SOAK_MINUTES=30 pytest -n0 -s -m load tests/e2e/test_soak.py
"""

import asyncio
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import psutil
import pytest

from app.server.embedded import running_database_url
from tests.support.faults.load import BaseLoad
from tests.support.faults.people import LASTING, settle
from tests.support.program import Program, open_folder, wait_until

MINUTES: Final = float(os.environ.get("SOAK_MINUTES", "30"))
SAMPLES: Final = 120
PEOPLE: Final = 60
PER_SECOND: Final = 40.0
SETTINGS: Final = LASTING | {"HTTP__WORKERS": "2", "LOGGER__LEVEL": "warning"}

# Of the second quarter, in which caches are warm, the last one may differ by so much.
_MEMORY_GROWTH: Final = 1.05
_MEMORY_SLACK_MB: Final = 2.0
_SLACK: Final = 4


class Sample(NamedTuple):
    """Both workers at one moment. `database_mb` is the memory that PostgreSQL's processes do not
    share."""

    minutes: float
    memory_mb: float
    files: int
    threads: int
    tasks: int
    database_mb: float
    database_processes: int


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.mark.load
async def test_memory_tasks_and_files_stay_flat(folder: Path) -> None:
    people = await settle(folder, PEOPLE)
    samples: list[Sample] = []
    with Program(folder, SETTINGS) as program:
        await asyncio.to_thread(program.wait_until_ready)
        load = BaseLoad(program.port, people, per_second=PER_SECOND)
        async with load.running():
            began = monotonic()
            for number in range(1, SAMPLES + 1):
                await asyncio.sleep(max(0.0, began + number * MINUTES * 60 / SAMPLES - monotonic()))
                load.drop(2)
                samples.append(await asyncio.to_thread(sample, program, (monotonic() - began) / 60))
                print(" ".join(f"{name}={value:.1f}" for name, value in samples[-1]._asdict().items()))  # noqa: T201
        url = running_database_url(folder / ".starling")
        assert url is not None
        outcome = await load.outcome(url)
        assert program.stop() == 0
    print(outcome, dict(load.answers))  # noqa: T201  # the figures of a soak that was well, too
    assert (outcome.failed, outcome.lost, outcome.doubled) == (0, 0, 0), load.answers

    def grew(value: Callable[[Sample], float]) -> tuple[float, float]:
        quarter = len(samples) // 4
        return tuple(  # type: ignore[return-value]
            statistics.median(map(value, part))
            for part in (samples[quarter : 2 * quarter], samples[-quarter:])
        )

    before, after = grew(lambda one: one.memory_mb)
    assert after <= before * _MEMORY_GROWTH + _MEMORY_SLACK_MB, f"{before:.1f} MB became {after:.1f}"
    for value in (lambda one: one.files, lambda one: one.threads, lambda one: one.tasks):
        before, after = grew(value)
        assert after <= before + _SLACK, f"{before} became {after}"


def sample(program: Program, minutes: float) -> Sample:
    """How it stands."""
    workers = program.workers()
    database = [program.postgres(), *program.postgres().children()]
    tasks: list[float] = []

    def have_all_told() -> bool:
        numbers = program.get("/metrics").body.decode().splitlines()
        tasks[:] = [float(line.rpartition(" ")[2]) for line in numbers if line.startswith("starling_tasks{")]
        return len(tasks) == len(workers)

    wait_until(have_all_told, "all workers have left their numbers")
    return Sample(
        minutes=minutes,
        memory_mb=sum(map(own_mb, workers)),
        files=sum(worker.num_fds() for worker in workers),
        threads=sum(worker.num_threads() for worker in workers),
        tasks=int(sum(tasks)),
        database_mb=sum(map(own_mb, database)),
        database_processes=len(database),
    )


def own_mb(process: psutil.Process) -> float:
    """Memory that the process shares with nobody; 0 for one that is gone."""
    try:
        return float(process.memory_full_info().uss / 1e6)
    except psutil.NoSuchProcess:
        return 0.0
