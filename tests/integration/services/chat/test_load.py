"""Many at once: no deadlock, no storm, and how fast."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from app.core.access import AccessSession
from app.core.errors import Unauthenticated
from services.chat import actions
from services.chat.app import ChatService
from tests.integration.services.chat.world import Person, Socket, chat_application, open_socket
from tests.support.application import RunningApplication
from tests.support.databases import fresh_database

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.load]


class Everybody:
    """An authenticator to whom the token `7` is user 7, without asking anybody."""

    def cached(self, token: str) -> AccessSession | None:
        if not token.isdigit():
            return None
        return AccessSession(user_id=int(token), login=f"user{token}", name=f"User {token}")

    async def verify_access(self, token: str) -> AccessSession:
        raise Unauthenticated("there is no such user")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(server_url: str) -> AsyncIterator[RunningApplication]:
    async with fresh_database(server_url) as url, chat_application(url) as running:
        yield running


async def users(running: RunningApplication, count: int) -> list[int]:
    """New users, whom nobody has asked for a password."""
    rows = await running.env.db.fetch(
        "INSERT INTO users (login, name, password_hash, is_admin, active, credentials_version, created_at) "
        "SELECT 'user' || n || '-' || random(), 'User ' || n, 'x', false, true, 0, now() "
        "FROM generate_series(1, $1::bigint) n RETURNING id",
        count,
    )
    return [row["id"] for row in rows]


def tell(line: str) -> None:
    """Show a figure, with `-s`."""
    sys.stdout.write(line + "\n")


async def test_five_thousand_posts_by_fifty_connections_into_one_chat_deadlock_nobody(ada: Person) -> None:
    chat_id = await ada.group()
    clients = [await ada.running.client(token=ada.token) for _ in range(50)]

    async def post(number: int) -> None:
        for place in range(100):
            answer = await clients[number].post(
                f"/chats/{chat_id}/messages", json={"body": f"{number} {place}"}
            )
            assert answer.status_code == 201, answer.text

    began = time.perf_counter()
    await asyncio.gather(*(post(number) for number in range(50)))
    took = time.perf_counter() - began
    tell(f"posts over HTTP (ASGI, httpx) into one chat by 50 connections: {5_000 / took:.0f} a second")
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 5_001
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await ada.running.env.db.fetchval(deadlocks) == 0


@pytest.mark.parametrize(("chats", "tasks"), [(1, 16), (50, 16)])
async def test_messages_a_second_in_process(running: RunningApplication, chats: int, tasks: int) -> None:
    (author,) = await users(running, 1)
    env = running.env
    with env.bind():
        made = [await actions.create_chat(author, chat_type="group", name="x") for _ in range(chats)]
    total = 5_000
    left = iter(range(total))

    async def post() -> None:
        with env.bind():
            for number in left:
                await actions.post_message(made[number % chats].chat.id, author, "how are you today?")

    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(post() for _ in range(tasks)))
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    tell(f"messages into {chats} chats: {total / took:.0f} a second, {cpu / total * 1e6:.0f} us of CPU each")


async def connected(stack: AsyncExitStack, running: RunningApplication, user_id: int) -> Socket:
    socket = await stack.enter_async_context(open_socket(running.app))
    await socket.say({"type": "auth", "token": str(user_id)})
    assert (await socket.hear())["type"] == "ready"
    return socket


async def heard_until_message(socket: Socket) -> int:
    """How many presence events were told before a message."""
    told = 0
    while (frame := await socket.hear_any())["type"] != "new_message":
        told += frame["type"] == "presence"
    return told


async def test_a_thousand_who_come_at_once_make_no_storm(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.env, "authenticator", Everybody())
    ids = await users(running, 1_000)
    with running.env.bind():
        chat_id = (
            await actions.create_chat(ids[0], chat_type="group", name="all", user_ids=ids[1:500])
        ).chat.id
        for user_id in ids[500:]:
            await actions.add_member(chat_id, ids[0], user_id)
    async with AsyncExitStack() as stack:
        first = await connected(stack, running, ids[0])
        await first.say({"type": "subscribe", "chat_id": chat_id})
        assert (await first.hear())["presence"] == [ids[0]]
        began, spent = time.perf_counter(), time.process_time()
        sockets = [await connected(stack, running, user_id) for user_id in ids[1:]]
        for socket in sockets:
            await socket.say({"type": "subscribe", "chat_id": chat_id})
        for socket in sockets:
            assert (await socket.hear())["type"] == "subscribed"
        came = time.perf_counter() - began
        # Whoever posts now is not behind what is still to be told of presence.
        asked = time.perf_counter()
        with running.env.bind():
            await actions.post_message(chat_id, ids[0], "hello")
        told = sum([await heard_until_message(socket) for socket in (first, *sockets)])
        delivered = time.perf_counter() - asked
        spent = time.process_time() - spent
        tell(f"1,000 sockets came in {came:.1f} s, {spent:.1f} s of CPU, {told} presence frames so far")
        tell(f"a message that is posted meanwhile takes {delivered * 1000:.0f} ms to all of them")
        assert len(running.env.service(ChatService).parts.presence) == 1_000
        assert delivered < 2.0
        assert told < 25_000 * (time.perf_counter() - began)
