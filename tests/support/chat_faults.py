"""A started program, the networks that lead to it, people who talk on it, and what can happen to them."""

import asyncio
import contextlib
import itertools
import random
import re
import signal
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any, Final

import asyncpg
import httpx

from app.server.embedded import running_database_url
from tests.integration.app.realtime.recorder import Wire
from tests.support.chat_history import History
from tests.support.chat_talkers import Poster, Talker, talking
from tests.support.eventually import eventually
from tests.support.program import Program

PASSWORD: Final = "correct horse battery staple"
WORKERS: Final = 3
RECOVERY_SECONDS: Final = 60.0  # far beyond what it takes: past it something hangs

Fault = Callable[[], Awaitable[None]]

LISTENERS: Final = "query LIKE '%pg_notify%' OR query = 'SELECT 1' OR query LIKE 'LISTEN%'"


class World:
    """A program, the networks that lead to it, the people who talk on it, and what they see."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"http://127.0.0.1:{program.port}"
        self.networks: list[Wire] = []
        self.histories: list[History] = []
        self.talkers: list[Talker] = []
        self.posters: list[Poster] = []
        self.recoveries: dict[str, list[float]] = defaultdict(list)

    # -- faults

    async def kill_a_worker(self) -> None:
        """One of the workers is gone without a word; the program starts another one."""
        random.choice(self.program.workers()).kill()

    async def stop_the_database(self) -> None:
        """The database stops as with `pg_ctl stop -m immediate`; the program starts it again."""
        await self._all_workers()
        self.program.postgres().send_signal(signal.SIGQUIT)

    async def kill_the_database(self) -> None:
        """The parent of the database's processes is gone without a word; likewise."""
        await self._all_workers()
        self.program.postgres().kill()

    async def end_the_listeners(self) -> None:
        """The connections that carry events between the workers are lost."""
        await self._end(LISTENERS)

    async def end_all_backends(self) -> None:
        """Every connection to the database is lost."""
        await self._end("true")

    async def cut_a_network(self) -> None:
        """All connections of a network are lost."""
        random.choice(self.networks).cut()

    async def hang_a_network(self) -> None:
        """Nothing gets through a network for a while, then its connections are lost."""
        network = random.choice(self.networks)
        network.freeze()
        await asyncio.sleep(random.uniform(0, 0.5))
        network.cut()
        network.thaw()

    async def several_at_once(self) -> None:
        """A worker, the connections between the workers and a network."""
        await asyncio.gather(self.kill_a_worker(), self.end_the_listeners(), self.cut_a_network())

    async def _end(self, which: str) -> None:
        url = running_database_url(self.program.folder / ".starling")
        if url is not None:  # else it is being started, and no connection is left
            try:
                connection = await asyncpg.connect(url, timeout=5)
            except (OSError, asyncpg.PostgresError):
                return
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND ({which})"
            )
            await connection.close()

    async def _all_workers(self) -> None:
        """Return when all workers are up: one that finds no database at its start is started again, but the
        program does not bear that five times in a row.
        """
        async with asyncio.timeout(RECOVERY_SECONDS):
            while not await asyncio.to_thread(self._has_all_workers):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)

    def _has_all_workers(self) -> bool:
        with contextlib.suppress(OSError):
            text = self.program.get("/metrics").body.decode()
            up = re.findall(r'^starling_broker_up\{worker="(.+)"\} 1$', text, re.MULTILINE)
            return len(set(up)) == WORKERS
        return False

    # -- people

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/signin", json={"login": login, "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    async def settle(self, *people: str, chats: int) -> None:
        """People who listen and talk on sockets, each with a second self who posts over HTTP, and the chats
        that all of them are in.
        """
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
        ports = [network.port for network in self.networks]
        sockets = [f"ws://127.0.0.1:{port}/ws/chat" for port in ports]
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        self.talkers = [Talker(login, tokens[login], sockets, self.histories) for login in people]
        self.posters = [Poster(login, tokens[login], addresses, self.histories) for login in people]

    async def run(
        self, faults: Sequence[Fault], *, messages: int, pause_seconds: float, rest_seconds: float = 0.0
    ) -> None:
        """Everybody talks, `messages` at least each and on while the faults happen; then the history is
        checked.
        """
        is_over = False

        def texts(login: str, way: str) -> Iterator[str]:
            return (
                f"{login} {way} {number}"
                for number in itertools.takewhile(
                    lambda one: one < messages or not is_over, itertools.count()
                )
            )

        async with AsyncExitStack() as stack:
            for poster in self.posters:
                await stack.enter_async_context(poster)
            await stack.enter_async_context(talking(self.talkers))
            async with asyncio.TaskGroup() as group:
                for talker in self.talkers:
                    group.create_task(talker.talk(texts(talker.login, "says"), pause_seconds=pause_seconds))
                for poster in self.posters:
                    group.create_task(poster.talk(texts(poster.login, "posts"), pause_seconds=pause_seconds))
                for number, fault in enumerate(faults):
                    await self._fail(fault, f"probe {number}")
                    await asyncio.sleep(random.uniform(0, rest_seconds * 2))
                is_over = True
            await eventually(self.program.is_ready, within_seconds=RECOVERY_SECONDS)
            await self._check()

    async def _fail(self, fault: Fault, probe: str) -> None:
        """A fault, and how long it takes until what is said after it was heard by everybody."""
        await fault()
        began = monotonic()
        poster, history = self.posters[0], random.choice(self.histories)
        try:
            async with asyncio.timeout(RECOVERY_SECONDS):
                await poster.say(history, probe)
                heads = {history.chat_id: (await poster.ask("GET", f"/chats/{history.chat_id}"))["last_seq"]}
            await eventually(
                lambda: all(one.has_heard(heads) for one in self.talkers), within_seconds=RECOVERY_SECONDS
            )
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{fault.__name__}, {probe}: {self.program.errors()[-5000:]}") from error
        self.recoveries[fault.__name__].append(monotonic() - began)

    async def _check(self) -> None:
        async with self.signed_in("admin") as admin:
            logs = {one.chat_id: await pages(admin, f"/chats/{one.chat_id}/events") for one in self.histories}
            said = {one.chat_id: await messages_of(admin, one.chat_id) for one in self.histories}
        heads = {chat_id: log[-1]["seq"] for chat_id, log in logs.items()}
        await eventually(
            lambda: all(one.has_heard(heads) for one in self.talkers), within_seconds=RECOVERY_SECONDS
        )
        for history in self.histories:
            history.check(logs[history.chat_id], said[history.chat_id])

    def table(self) -> str:
        """What happened, and how long it took until all was well again."""
        lines = [f"{'fault':<24}{'times':>6}{'p50 s':>8}{'max s':>8}"]
        for name, seconds in sorted(self.recoveries.items()):
            median = statistics.median(seconds)
            lines.append(f"{name:<24}{len(seconds):>6}{median:>8.2f}{max(seconds):>8.2f}")
        streams = [stream for history in self.histories for stream in history.streams]
        posted = [seq is None for one in self.histories for _, seq in one.acknowledged.values()]
        told, resets = sum(len(one.told) for one in streams), sum(one.resets for one in streams)
        connections = sum(one.connections for one in self.talkers)
        lines.append(
            f"{len(posted)} messages acknowledged, {sum(posted)} of them over HTTP; {told} events told to "
            f"{len(streams)} streams over {connections} connections, {resets} resets; "
            "lost 0, doubled 0, swapped 0"
        )
        return "\n".join(lines)


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
