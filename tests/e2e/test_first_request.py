"""The request that the project was made for, through the real program with two worker processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.realtime import CloseCode
from tests.support.databases import fresh_database
from tests.support.program import Program, open_folder

PASSWORD: Final = "correct horse battery staple"
PATIENCE_SECONDS: Final = 10.0

Json = dict[str, Any]


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    async with fresh_database(server_url) as url:
        yield url


@pytest.fixture
def program(database_url: str) -> Iterator[Program]:
    settings = {
        "DATABASE__URL": database_url,
        "HTTP__WORKERS": "2",
        "AUTH__ADMIN_PASSWORD": PASSWORD,
    }
    with open_folder() as folder, Program(folder, settings) as program:
        yield program.wait_until_ready()


class Person:
    """Somebody who is signed in, on a connection that stays with one worker."""

    def __init__(self, client: httpx.AsyncClient, signed_in: Json) -> None:
        self.client = client
        self.id: int = signed_in["user"]["id"]
        self.token: str = signed_in["access_token"]
        client.headers["Authorization"] = f"Bearer {self.token}"

    async def post(self, path: str, body: object, *, expect: int) -> Json:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json()
        return found


@asynccontextmanager
async def signed_in(program: Program, login: str) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{program.port}") as client:
        answer = await client.post("/signin", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield Person(client, answer.json())


@asynccontextmanager
async def socket_on_another_worker(
    program: Program, person: Person, worker: str
) -> AsyncIterator[ClientConnection]:
    """A socket of this person at any worker but that one; which one a connection gets is up to the kernel."""
    url = f"ws://127.0.0.1:{program.port}/ws/chat"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            socket = await connect(url, subprotocols=["starling.v1", f"bearer.{person.token}"])  # type: ignore[list-item]
            ready = await hear(socket)
            assert (ready["type"], ready["user_id"]) == ("ready", person.id)
            if ready["worker"] != worker:
                break
            await socket.close()
    async with socket:
        yield socket


async def say(socket: ClientConnection, frame: object) -> None:
    await socket.send(msgspec.json.encode(frame), text=True)


async def hear(socket: ClientConnection) -> Json:
    async with asyncio.timeout(PATIENCE_SECONDS):
        found: Json = msgspec.json.decode(await socket.recv())
    return found


async def is_pinned(database_url: str, message_id: int) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        return bool(await connection.fetchval("SELECT pinned FROM chat_messages WHERE id = $1", message_id))
    finally:
        await connection.close()


async def test_a_message_is_posted_and_pinned_at_one_worker_and_heard_at_the_other(
    program: Program, database_url: str
) -> None:
    async with signed_in(program, "admin") as admin:
        for login in ("ada", "bob", "eve"):
            new_user = {"login": login, "name": login.title(), "password": PASSWORD}
            await admin.post("/api/users", new_user, expect=201)

    async with (
        signed_in(program, "ada") as ada,
        signed_in(program, "bob") as bob,
        signed_in(program, "eve") as eve,
    ):
        chat = await ada.post(
            "/chats", {"chat_type": "group", "name": "Birds", "user_ids": [bob.id]}, expect=201
        )
        worker = (await ada.client.get(f"/chats/{chat['id']}")).headers["X-Worker"]
        async with (
            socket_on_another_worker(program, ada, worker) as hers,
            socket_on_another_worker(program, bob, worker) as his,
        ):
            for socket in (hers, his):
                await say(socket, {"type": "subscribe", "chat_id": chat["id"]})
                assert (await hear(socket))["type"] == "subscribed"

            answer = await ada.client.post(f"/chats/{chat['id']}/messages", json={"body": "hello"})
            assert answer.status_code == 201
            assert answer.headers["X-Worker"] == worker
            message = answer.json()
            for socket in (hers, his):
                heard = await hear(socket)
                assert (heard["type"], heard["message"]) == ("new_message", message)

            pin = f"/chats/{chat['id']}/messages/{message['id']}/pin"
            async with httpx.AsyncClient(base_url=ada.client.base_url) as nobody:
                assert (await nobody.post(pin, json={"pinned": True})).status_code == 401
            await bob.post(pin, {"pinned": True}, expect=403)
            await eve.post(pin, {"pinned": True}, expect=404)
            assert not await is_pinned(database_url, message["id"])

            assert await ada.post(pin, {"pinned": True}, expect=200) == {"success": True}
            for socket in (hers, his):
                heard = await hear(socket)
                assert (heard["type"], heard["message_id"], heard["pinned"], heard["user_id"]) == (
                    "message_pinned",
                    message["id"],
                    True,
                    ada.id,
                )
            assert await is_pinned(database_url, message["id"])

            assert await asyncio.to_thread(program.stop) == 0
            for socket in (hers, his):
                with pytest.raises(ConnectionClosed) as closed:
                    await hear(socket)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == CloseCode.RESTART
