"""The started program under faults: killed workers, ended backends, a database that is stopped and started,
networks that are cut or hang. Seen from outside, nothing that was said is lost.

    pytest -n0 -s -m faults tests/e2e/test_chat_faults.py        # all of it: 5 minutes, and a table
"""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.integration.app.realtime.recorder import Wire
from tests.integration.app.realtime.redis_server import RedisServer
from tests.support.chat_faults import PASSWORD, WORKERS, Fault, World
from tests.support.chat_talkers import Talker
from tests.support.data_dirs import copy_data_dir, made_data_dir
from tests.support.program import Program, open_folder

NETWORKS: Final = 3
FAULTS_OF_EACH_KIND: Final = 16


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with made_data_dir() as data_dir:
        yield data_dir


SETTINGS: Final = {
    "HTTP__WORKERS": str(WORKERS),
    "AUTH__ADMIN_PASSWORD": PASSWORD,
    "AUTH__ACCESS_TTL_SECONDS": "3600",
    "CHAT__FRAMES_PER_SECOND": "500",
}


@pytest.fixture
async def world(made: Path) -> AsyncIterator[World]:
    async with started(made) as found:
        yield found


@asynccontextmanager
async def started(made: Path, **settings: str) -> AsyncIterator[World]:
    """A world whose program is ready."""
    with open_folder(in_memory=True) as folder:
        copy_data_dir(made, folder / ".starling")
        with Program(folder, SETTINGS | settings) as program:
            await asyncio.to_thread(program.wait_until_ready)
            found = World(program)
            async with AsyncExitStack() as stack:
                for _ in range(NETWORKS):
                    found.networks.append(await stack.enter_async_context(Wire(found.url)))
                yield found


async def test_killed_workers_a_stopped_database_and_cut_networks_lose_double_and_swap_nothing(
    world: World,
) -> None:
    await world.settle("ada", "bob", chats=2)
    faults = [world.stop_the_database, world.kill_a_worker, world.end_the_listeners, world.cut_a_network]
    await world.run(faults, messages=15, pause_seconds=0.03)


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_swapped_however_often_something_fails(world: World) -> None:
    await world.settle("ada", "bob", "eve", "dan", "kim", chats=3)
    kinds: list[Fault] = [
        world.kill_a_worker,
        world.stop_the_database,
        world.kill_the_database,
        world.end_the_listeners,
        world.end_all_backends,
        world.cut_a_network,
        world.hang_a_network,
        world.several_at_once,
    ]
    faults = kinds * FAULTS_OF_EACH_KIND
    random.shuffle(faults)
    # A database that is killed again and again is started again after growing pauses: it gets time to settle.
    await world.run(faults, messages=500, pause_seconds=0.05, rest_seconds=1.0)
    sys.stdout.write(f"\n{world.table()}\n")


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_swapped_with_a_redis_that_fails(made: Path, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:

        async def restart_redis() -> None:
            await asyncio.to_thread(redis.restart)

        async def drop_redis_subscribers() -> None:
            await asyncio.to_thread(redis.ask, "CLIENT", "KILL", "TYPE", "pubsub")

        pubsub = {"PUBSUB__BACKEND": "redis", "PUBSUB__URL": f"redis://127.0.0.1:{redis.port}"}
        async with started(made, **pubsub) as world:
            await world.settle("ada", "bob", "eve", chats=2)
            kinds: list[Fault] = [restart_redis, drop_redis_subscribers, world.kill_a_worker]
            faults = kinds * FAULTS_OF_EACH_KIND
            random.shuffle(faults)
            await world.run(faults, messages=200, pause_seconds=0.05)
            sys.stdout.write(f"\n{world.table()}\n")


async def hear(socket: ClientConnection, kind: str, **fields: object) -> dict[str, Any]:
    """The next frame of that type with these fields."""
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame["type"] == kind and all(frame[name] == value for name, value in fields.items()):
                return frame


@asynccontextmanager
async def signed_in_socket(world: World, talker: Talker) -> AsyncIterator[tuple[ClientConnection, str]]:
    """A socket, and the worker that it is connected to."""
    url = f"ws://127.0.0.1:{world.program.port}/ws/chat"
    offered = [Subprotocol("starling.v1"), Subprotocol(f"bearer.{talker.token}")]
    async with connect(url, subprotocols=offered) as socket:
        yield socket, (await hear(socket, "ready"))["worker"]


@pytest.mark.faults
async def test_a_killed_worker_leaves_nobody_online(world: World) -> None:
    await world.settle("ada", "bob", chats=1)
    ada, bob = world.talkers
    chat_id = world.histories[0].chat_id
    async with AsyncExitStack() as stack:
        _, his_worker = await stack.enter_async_context(signed_in_socket(world, bob))
        while True:  # until she is at the other worker
            async with AsyncExitStack() as trial:
                hers, her_worker = await trial.enter_async_context(signed_in_socket(world, ada))
                if her_worker != his_worker:
                    await stack.enter_async_context(trial.pop_all())
                    break
        await hers.send(json.dumps({"type": "subscribe", "chat_id": chat_id}))
        bob_id = await id_of(world, bob)
        if bob_id not in (await hear(hers, "subscribed"))["presence"]:
            await hear(hers, "presence", user_id=bob_id, online=True)
        for process in world.program.workers():
            if not is_at_the_other_end(process, hers):
                process.kill()
        gone = await hear(hers, "presence", user_id=bob_id)
        assert gone["online"] is False


async def id_of(world: World, talker: Talker) -> int:
    """The id of a user."""
    headers = {"Authorization": f"Bearer {talker.token}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{world.program.port}", headers=headers
    ) as client:
        return int((await client.get("/me")).json()["id"])


def is_at_the_other_end(process: psutil.Process, socket: ClientConnection) -> bool:
    """Whether the process is at the other end of a socket."""
    own = socket.transport.get_extra_info("sockname")[1]
    return any(getattr(one.raddr, "port", None) == own for one in process.net_connections("tcp"))
