"""Two processes under load: who is revoked, disabled or demoted is refused by both, and his sockets end,
within a second; with the notification that processes send each other, and without it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from app.testing.application import StarlingApp
from app.testing.client import Client
from app.testing.socket import Socket
from services.chat.app import ChatService
from services.security.app import SecurityService
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_database

LIMIT_SECONDS = 1.0
BUSY_CLIENTS = 6
WITHOUT = "without the notification"


class Scene:
    """Two processes on one database. Eve is an administrator with a socket on each; others keep both busy."""

    def __init__(self, processes: list[RunningApplication], database_url: str) -> None:
        self.processes = processes
        self.database_url = database_url
        self.eve: list[Client] = []
        self.sockets: list[Socket] = []
        self.admin: Any = None
        self.eve_id = 0
        self._busy: list[asyncio.Task[None]] = []

    async def begin(self, stack: AsyncExitStack) -> None:
        here = self.processes[0]
        self.admin = await here.as_admin()
        await here.as_user("eve", is_admin=True)
        token = (await here.sign_in("eve"))["access_token"]
        for running in self.processes:
            starling = StarlingApp(running.app, running.env, stack)
            client = await starling.client(token=token)
            self.eve.append(client)
            self.eve_id = (await client.get("/me")).json()["id"]
            self.sockets.append(await stack.enter_async_context(client.socket()))
            for number in range(BUSY_CLIENTS // 2):
                busy = await running.as_user(f"busy{number}")
                self._busy.append(asyncio.create_task(self._keep_busy(busy)))

    async def _keep_busy(self, client: Any) -> None:
        while True:
            assert (await client.get("/api/partners?count=exact")).status_code == 200

    async def end(self) -> None:
        for task in self._busy:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def sql(self, statement: str) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement, self.eve_id)
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def scene(server_url: str) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(server_url))
        processes = [await stack.enter_async_context(running_application(url)) for _ in range(2)]
        scene = Scene(processes, url)
        await scene.begin(stack)
        yield scene
        await scene.end()


async def revoked(scene: Scene) -> None:
    assert (await scene.eve[0].post("/sessions/terminate_all")).status_code == 204


async def disabled(scene: Scene) -> None:
    answer = await scene.admin.patch(f"/api/users/{scene.eve_id}", json={"active": False})
    assert answer.status_code == 200, answer.text


async def revoked_at_the_database(scene: Scene) -> None:
    await scene.sql("UPDATE sessions SET revoked_at = now() WHERE user_id = $1")


async def disabled_at_the_database(scene: Scene) -> None:
    await scene.sql("UPDATE users SET active = false WHERE id = $1")


async def until(client: Client, path: str, status: int) -> float:
    """The moment from which on the path answers so."""
    async with asyncio.timeout(10):
        while (await client.get(path)).status_code != status:  # noqa: ASYNC110  # HTTP has no signal for it
            await asyncio.sleep(0.002)
    return monotonic()


@pytest.mark.parametrize("way", ["with the notification", WITHOUT])
@pytest.mark.parametrize("change", [revoked, disabled, revoked_at_the_database, disabled_at_the_database])
async def test_who_has_lost_his_session_is_refused_everywhere_within_a_second(
    scene: Scene,
    change: Callable[[Scene], Awaitable[None]],
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if way == WITHOUT:
        lose_notifications(scene, monkeypatch)

    await change(scene)
    since = monotonic()
    refused = await asyncio.gather(*(until(client, "/me", 401) for client in scene.eve))
    codes = await asyncio.gather(*(socket.close_code() for socket in scene.sockets))

    assert max(refused) - since < LIMIT_SECONDS
    assert codes == [4401, 4401]
    assert monotonic() - since < LIMIT_SECONDS


@pytest.mark.parametrize("way", ["with the notification", WITHOUT])
async def test_who_is_no_administrator_any_more_is_none_everywhere_within_a_second(
    scene: Scene, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == WITHOUT:
        lose_notifications(scene, monkeypatch)
    assert [(await client.get("/api/rules")).status_code for client in scene.eve] == [200, 200]

    answer = await scene.admin.patch(f"/api/users/{scene.eve_id}", json={"is_admin": False})
    since = monotonic()
    assert answer.status_code == 200, answer.text
    refused = await asyncio.gather(*(until(client, "/api/rules", 403) for client in scene.eve))

    assert max(refused) - since < LIMIT_SECONDS
    assert [(await client.get("/me")).status_code for client in scene.eve] == [200, 200]


async def test_with_the_notification_the_other_process_does_not_wait_for_its_next_look(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for running in scene.processes:  # only what is told is noticed
        monkeypatch.setattr(running.env.service(SecurityService).revisions, "_poll_seconds", 60)
        monkeypatch.setattr(running.env.service(SecurityService).revisions, "_trust_seconds", 600)
    with scene.processes[0].env.bind():  # a first look brings the new rhythm
        for running in scene.processes:
            running.env.service(SecurityService).revisions.doubt()
    await disabled(scene)

    await asyncio.gather(*(until(client, "/me", 401) for client in scene.eve))


def lose_notifications(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for running in scene.processes:
        realtime = running.env.service(ChatService).realtime
        monkeypatch.setattr(realtime, "tell", lambda topic, payload: None)
