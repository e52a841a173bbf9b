"""The fault suite: 200 requests a second and 300 people on WebSockets, while something breaks.

    pytest -m faults -n0

ends with a table of what each fault did. Every write that was acknowledged is there, once, and everybody was
told of every message, once; where the fault hits others than our clients, none of their requests fails.
"""

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from app.server.embedded import EmbeddedPostgres
from tests.support.data_dirs import copy_data_dir
from tests.support.faults.hostile import Attackers
from tests.support.faults.load import BaseLoad, Outcome
from tests.support.faults.people import People, settle
from tests.support.faults.proxy import dead_end
from tests.support.faults.table import PROPERTY, row
from tests.support.faults.world import SETTINGS, World, copied, world_under_load
from tests.support.handed_down import end, program
from tests.support.program import SERVE, open_folder

PEOPLE: Final = 300

Fault = Callable[[World], Awaitable[None]]
Record = Callable[[str, object], None]
Crowd = tuple[Path, People]


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    """A data folder with everybody in it."""
    with open_folder() as folder:
        yield folder, asyncio.run(settle(folder, PEOPLE))


@pytest.fixture(scope="module")
def small_crowd() -> Iterator[Crowd]:
    with open_folder(in_memory=True) as folder:
        yield folder, asyncio.run(settle(folder, 12))


def is_unhurt(outcome: Outcome) -> bool:
    """Whether nobody noticed: on a machine with time to spare not a single request fails."""
    return (outcome.lost, outcome.doubled) == (0, 0) and outcome.failed <= outcome.requests / 100


async def workers_are_killed(world: World) -> None:
    """One every ten seconds."""
    for number in range(4):
        await asyncio.sleep(10)
        world.kill_a_worker(number)
    await asyncio.sleep(10)


async def the_database_is_stopped(world: World) -> None:
    """Five times, immediate; its parent starts it again."""
    for _ in range(5):
        await asyncio.sleep(4)
        postgres = await asyncio.to_thread(world.program.postgres)
        world.load.fault()
        postgres.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(postgres.wait, 10)
        await world.database_is_back()
    await asyncio.sleep(8)


async def listeners_are_ended(world: World) -> None:
    """A hundred times the connections that workers hear each other on."""
    ended = 0
    while ended < 100:
        ended += await world.end_listeners()
        await asyncio.sleep(0.2)
    await asyncio.sleep(5)


async def a_little_of_everything(world: World) -> None:
    """Each once, for every run of the tests."""
    await world.end_listeners()
    world.kill_a_worker(0)
    await asyncio.sleep(0.5)  # in which those who were connected to it notice
    await world.load.everybody_is_live()
    postgres = await asyncio.to_thread(world.program.postgres)
    world.load.fault()
    postgres.send_signal(signal.SIGQUIT)
    await world.database_is_back()
    await asyncio.sleep(1)


async def test_a_killed_worker_a_killed_database_and_lost_listeners_lose_and_double_nothing(
    small_crowd: Crowd,
) -> None:
    folder, people = small_crowd
    with copied(folder) as copy:
        async with world_under_load(copy, people, per_second=40) as (world, outcomes):
            await a_little_of_everything(world)
    assert (outcomes[0].lost, outcomes[0].doubled) == (0, 0), (world.load.answers, world.load.refusals)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [workers_are_killed, the_database_is_stopped, listeners_are_ended])
async def test_nothing_is_lost_or_doubled_when(fault: Fault, crowd: Crowd, record_property: Record) -> None:
    folder, people = crowd
    with copied(folder) as copy:
        async with world_under_load(copy, people) as (world, outcomes):
            await fault(world)
    record_property(PROPERTY, row(fault.__name__, outcomes[0]))
    assert (outcomes[0].lost, outcomes[0].doubled) == (0, 0), (world.load.answers, world.load.refusals)


ATTACKS: Final[dict[str, tuple[int, tuple[str, ...], set[str]]]] = {
    "500 slow clients": (500, ("slow_loris",), {"408"}),
    "header bombs": (20, ("header_bomb",), {"431"}),
    "body bombs": (20, ("body_bomb", "chunked_bomb", "deep_bomb"), {"413", "400"}),
    "sign-in flood": (50, ("guess",), {"401", "429"}),
}
"""How many clients do what, and with what they have to be answered."""


@pytest.mark.faults
@pytest.mark.parametrize("attack", ATTACKS)
async def test_nobody_else_is_hurt_by(attack: str, crowd: Crowd, record_property: Record) -> None:
    folder, people = crowd
    count, names, statuses = ATTACKS[attack]
    with copied(folder) as copy:
        async with world_under_load(copy, people) as (world, outcomes):
            attackers = Attackers(world.program.port, "127.0.0.2")
            world.load.fault()
            async with attackers.at_once(count, *(getattr(attackers, name) for name in names)):
                await asyncio.sleep(20)
    record_property(PROPERTY, row(attack, outcomes[0]))
    assert is_unhurt(outcomes[0]), (world.load.answers, world.load.refusals)
    assert statuses <= attackers.heard.keys(), attackers.heard


@pytest.mark.faults
async def test_dead_connections_to_the_database_lose_nothing(crowd: Crowd, record_property: Record) -> None:
    folder, people = crowd
    with copied(folder) as copy, EmbeddedPostgres(copy / ".starling", max_connections=60) as server:
        async with dead_end(server.url()) as way:
            settings = {"DATABASE__URL": way.url, "DATABASE__STATEMENT_TIMEOUT_SECONDS": "2"}
            async with world_under_load(copy, people, settings=settings) as (world, outcomes):
                for _ in range(4):
                    await asyncio.sleep(4)
                    world.load.fault()
                    assert way.swallow() > 0
                await asyncio.sleep(12)
    record_property(PROPERTY, row("half-open database connections", outcomes[0]))
    assert (outcomes[0].lost, outcomes[0].doubled) == (0, 0), (world.load.answers, world.load.refusals)


@pytest.mark.faults
async def test_rolling_restarts_lose_no_request(crowd: Crowd, record_property: Record) -> None:
    folder, people = crowd
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listening.getsockname()[1]
    with (
        copied(folder) as copy,
        EmbeddedPostgres(copy / ".starling", max_connections=80) as server,
        listening,
        ExitStack() as programs,
    ):
        settings = SETTINGS | {"DATABASE__URL": server.url()}

        async def started() -> "subprocess.Popen[str]":
            return await asyncio.to_thread(programs.enter_context, program(SERVE, copy, listening, settings))

        old = await started()
        load = BaseLoad(port, people)
        async with load.running():
            for _ in range(4):
                await asyncio.sleep(3)
                new = await started()
                load.fault()
                await asyncio.to_thread(end, old)
                old = new
            await asyncio.sleep(5)
        outcome = await load.outcome(server.url())
        end(old)
    record_property(PROPERTY, row("rolling restarts", outcome))
    assert is_unhurt(outcome), (load.answers, load.refusals)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own at `folder`, in memory. Skips the test where it cannot be made."""
    folder.mkdir(mode=0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Leave no room on the file system of `path`."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
    with contextlib.suppress(OSError), path.with_suffix(".rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))


@pytest.mark.faults
async def test_a_full_disk_loses_nothing(crowd: Crowd, record_property: Record) -> None:
    folder, people = crowd
    with open_folder() as copy, small_disk(copy / "disk", 300) as disk:
        copy_data_dir(folder / ".starling", disk / "data")
        (copy / ".starling").symlink_to(disk / "data")
        async with world_under_load(copy, people) as (world, outcomes):
            for _ in range(2):
                await asyncio.sleep(4)
                world.load.fault()
                await asyncio.to_thread(fill, disk / "filler")
                await asyncio.sleep(8)
                for filler in disk.glob("filler*"):
                    filler.unlink()
            await world.database_is_back()
            await asyncio.sleep(8)
    record_property(PROPERTY, row("disk full (for 8 s)", outcomes[0]))
    assert (outcomes[0].lost, outcomes[0].doubled) == (0, 0), (world.load.answers, world.load.refusals)
