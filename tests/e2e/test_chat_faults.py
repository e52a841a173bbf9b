"""The started program with killed workers and a killed database: seen from outside, nothing that was said
is lost.
"""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.chat_history import History
from tests.support.chat_talkers import Talker, talking
from tests.support.data_dirs import copy_data_dir, made_data_dir
from tests.support.eventually import eventually
from tests.support.program import Program, open_folder

PASSWORD: Final = "correct horse battery staple"
WORKERS: Final = 3

Fault = Callable[[], None]


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with made_data_dir() as data_dir:
        yield data_dir


class World:
    """A program, the people who talk on it, and what they see."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"http://127.0.0.1:{program.port}"
        self.histories: list[History] = []
        self.talkers: list[Talker] = []

    def kill_a_worker(self) -> None:
        """One of the workers is gone without a word; the program starts another one."""
        random.choice(self.program.workers()).kill()

    def kill_the_database(self) -> None:
        """The database stops as with `-m immediate`; the program starts it again."""
        self.program.postgres().kill()

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/signin", json={"login": login, "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    async def settle(self, *people: str, chats: int) -> None:
        """People, the chats that all of them are in, and a client of each."""
        async with AsyncExitStack() as stack:
            admin = await stack.enter_async_context(self.signed_in("admin"))
            ids, tokens = [], {}
            for login in people:
                body = {"login": login, "name": login.title(), "password": PASSWORD}
                ids.append((await admin.post("/api/users", json=body)).json()["id"])
                client = await stack.enter_async_context(self.signed_in(login))
                tokens[login] = client.headers["Authorization"].removeprefix("Bearer ")
            for number in range(chats):
                group = {"chat_type": "group", "name": f"chat {number}", "user_ids": ids}
                self.histories.append(History((await admin.post("/chats", json=group)).json()["id"]))
        urls = [f"ws://127.0.0.1:{self.program.port}/ws/chat"]
        self.talkers = [Talker(login, tokens[login], urls, self.histories) for login in people]

    async def run(self, *, messages: int, faults: Sequence[Fault], pause_seconds: float) -> None:
        """Everybody talks while the faults happen; then the history is checked."""

        async def fail() -> None:
            for fault in faults:
                await asyncio.sleep(pause_seconds * messages / (len(faults) + 1))
                fault()

        texts = [[f"{one.login} {number}" for number in range(messages)] for one in self.talkers]
        async with talking(self.talkers):
            async with asyncio.timeout(60 + messages * pause_seconds * 4 + 20 * len(faults)):
                talks = zip(self.talkers, texts, strict=True)
                await asyncio.gather(
                    fail(), *(one.talk(said, pause_seconds=pause_seconds) for one, said in talks)
                )
            await eventually(self.program.is_ready, within_seconds=30)
            async with self.signed_in("admin") as admin:
                logs = {
                    one.chat_id: await pages(admin, f"/chats/{one.chat_id}/events") for one in self.histories
                }
                heads = {chat_id: log[-1]["seq"] for chat_id, log in logs.items()}
                said = {one.chat_id: await messages_of(admin, one.chat_id) for one in self.histories}
            await eventually(lambda: all(one.has_heard(heads) for one in self.talkers), within_seconds=30)
        acknowledged = {body for history in self.histories for body in history.acknowledged}
        assert acknowledged == set(itertools.chain.from_iterable(texts))
        for history in self.histories:
            history.check(logs[history.chat_id], said[history.chat_id])


async def pages(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """All events."""
    found: list[dict[str, Any]] = []
    while True:
        page = (await client.get(f"{path}?since={len(found)}&limit=500")).json()
        found += page["data"]
        if len(page["data"]) < 500:
            return found


async def messages_of(client: httpx.AsyncClient, chat_id: int) -> list[dict[str, Any]]:
    """All messages, newest first."""
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        page = (await client.get(f"/chats/{chat_id}/messages?limit=200{before}")).json()
        found += page["data"]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


@pytest.fixture
def world(made: Path) -> Iterator[World]:
    settings = {"HTTP__WORKERS": str(WORKERS), "AUTH__ADMIN_PASSWORD": PASSWORD}
    with open_folder() as folder:
        copy_data_dir(made, folder / ".starling")
        with Program(folder, settings) as program:
            program.wait_until_ready()
            yield World(program)


async def test_a_killed_worker_and_a_killed_database_lose_double_and_swap_nothing(world: World) -> None:
    await world.settle("ada", "bob", "eve", chats=2)
    faults = [world.kill_a_worker, world.kill_the_database]
    await world.run(messages=40, faults=faults, pause_seconds=0.03)


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_swapped_however_often_something_is_killed(world: World) -> None:
    await world.settle("ada", "bob", "eve", "dan", "kim", chats=3)
    faults = random.choices([world.kill_a_worker, world.kill_a_worker, world.kill_the_database], k=40)
    await world.run(messages=2_000, faults=faults, pause_seconds=0.05)


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
        hers, her_worker = await stack.enter_async_context(signed_in_socket(world, ada))
        await hers.send(json.dumps({"type": "subscribe", "chat_id": chat_id}))
        his_worker = her_worker
        while his_worker == her_worker:
            _, his_worker = await stack.enter_async_context(signed_in_socket(world, bob))
        bob_id = (await hear(hers, "presence", online=True))["user_id"]
        for process in world.program.workers():
            if not is_at_the_other_end(process, hers):
                process.kill()
        gone = await hear(hers, "presence", user_id=bob_id)
        assert gone["online"] is False


def is_at_the_other_end(process: psutil.Process, socket: ClientConnection) -> bool:
    """Whether the process is at the other end of a socket."""
    own = socket.transport.get_extra_info("sockname")[1]
    return any(getattr(one.raddr, "port", None) == own for one in process.net_connections("tcp"))
