"""The profile for a small device (README, "In production"): all of it in 256 MiB, a flood included.

pytest -n0 -s -m load tests/e2e/test_small_device.py
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import psutil
import pytest

from app.server.embedded import running_database_url
from tests.support.faults.hostile import Attackers
from tests.support.faults.load import BaseLoad
from tests.support.faults.people import LASTING, settle
from tests.support.faults.wire import Wire
from tests.support.memory_limit import MemoryLimit, memory_limit
from tests.support.program import Program, open_folder

MEGABYTES: Final = 256
PROFILE: Final = LASTING | {
    "HTTP__WORKERS": "1",
    "DATABASE__POOL_MAX": "4",
    "HTTP__MAX_CONNECTIONS_PER_ADDRESS": "100",
    "HTTP__MAX_BODY_BYTES": "131072",
    "LOGGER__LEVEL": "warning",
}
PEOPLE: Final = 30
FLOOD: Final = 600


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def limit() -> Iterator[MemoryLimit]:
    with memory_limit(MEGABYTES) as made:
        yield made


class LimitedProgram(Program):
    """A program that joins a group before it starts anything."""

    def __init__(self, folder: Path, limit: MemoryLimit) -> None:
        super().__init__(folder, PROFILE)
        self._limit = limit

    def start(self) -> Program:
        """See Program."""
        super().start()
        self._limit.join(self.process.pid)
        return self


@pytest.mark.load
async def test_it_serves_chats_and_survives_a_flood(folder: Path, limit: MemoryLimit) -> None:
    people = await settle(folder, PEOPLE)
    with LimitedProgram(folder, limit) as program:
        await asyncio.to_thread(program.wait_until_ready)
        tell("idle", program, limit)
        before = {one.pid for one in program.workers()} | {program.postgres().pid}
        load = BaseLoad(program.port, people, per_second=30)
        async with load.running():
            await asyncio.sleep(5)
            tell("30 requests a second, 30 sockets", program, limit)
            answers = await flood(program.port, people.admin)
            tell("after a flood", program, limit)
            await asyncio.sleep(2)
        url = running_database_url(folder / ".starling")
        assert url is not None
        outcome = await load.outcome(url)
        print(outcome, answers)  # noqa: T201
        assert {one.pid for one in program.workers()} | {program.postgres().pid} == before
        assert limit.kills == 0
        assert (outcome.lost, outcome.doubled) == (0, 0)
        assert answers.keys() <= {"200", "401", "429", "503"}, answers
        assert answers["200"] > 0
        assert program.stop() == 0


async def flood(port: int, token: str) -> Counter[str]:
    """Six hundred connections from six addresses read, a hundred guess passwords, three hundred hold back the
    ends of bodies. How they were answered."""
    answers: Counter[str] = Counter()

    async def read(wire: Wire) -> None:
        for _ in range(3):
            try:
                got = await wire.ask("GET", "/api/partners?limit=500&count=exact", token=token)
            except (OSError, EOFError) as error:
                answers[type(error).__name__] += 1
            else:
                answers[str(got.status)] += 1

    wires = [Wire(port, address=f"127.0.0.{number}") for number in range(10, 16)]
    guessing, hoarding = (
        Attackers(port, "127.0.0.20"),
        [Attackers(port, f"127.0.0.{n}") for n in (30, 31, 32)],
    )
    async with AsyncExitStack() as attacks:
        await attacks.enter_async_context(guessing.at_once(100, guessing.guess))
        for one in hoarding:
            await attacks.enter_async_context(one.at_once(100, one.hoard))
        await asyncio.gather(*(read(wires[number % len(wires)]) for number in range(FLOOD)))
    for wire in wires:
        await wire.close()
    return answers + guessing.heard


def tell(when: str, program: Program, limit: MemoryLimit) -> None:
    """Print what each part uses (pss divides what is shared among those who share it), and the most that all
    used together, page cache included."""
    parts: dict[str, float] = defaultdict(float)
    postgres = program.postgres()
    for process in program.processes():
        name = (
            "parent" if process.pid == program.process.pid
            else "database" if process.pid == postgres.pid or process.ppid() == postgres.pid
            else "worker"
        )  # fmt: skip
        try:
            parts[name] += process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    said = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in sorted(parts.items()))
    print(f"{when}: {said}; together {sum(parts.values()):.0f}, at most {limit.peak_mb:.0f}")  # noqa: T201
