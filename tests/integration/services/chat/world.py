"""Chats on a real database: applications with the chat module, and clients on its socket."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.types import Message

from app.core.service import AppsCore
from services.chat.models import Chat, ChatEdit, ChatEvent, ChatMember, ChatMention, ChatMessage
from tests.support.application import RunningApplication, running_application
from tests.support.asgi import socket_scope
from tests.support.identity import IdentityApps, IdentityModels

PATIENCE_SECONDS: Final = 10.0

Json = dict[str, Any]


class ChatModels(IdentityModels):
    """Users, and chats."""

    chat = Chat
    chat_member = ChatMember
    chat_message = ChatMessage
    chat_edit = ChatEdit
    chat_mention = ChatMention
    chat_event = ChatEvent


class ChatApps(AppsCore):
    """Users, and chats."""

    installed = (*IdentityApps.installed, "services.chat")
    services_before = IdentityApps.services_before
    services_after = (*IdentityApps.services_after, "chat")


def chat_application(database_url: str, **settings: Any) -> AbstractAsyncContextManager[RunningApplication]:
    """A started application; two on one database are two workers to each other."""
    return running_application(database_url, models=ChatModels, apps=ChatApps, **settings)


class Person:
    """Somebody who is signed in at an application; `me` is what it says of him."""

    def __init__(self, running: RunningApplication, client: httpx.AsyncClient, me: Json) -> None:
        self.running = running
        self.client = client
        self.id: int = me["id"]
        self.login: str = me["login"]
        self.name: str = me["name"]
        self.token = client.headers["Authorization"].removeprefix("Bearer ")

    async def post(self, path: str, body: object, *, expect: int) -> Json:
        """The answer to a POST, which has this status."""
        answer = await self.client.post(path, json=body)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json() if answer.content else {}
        return found

    async def get(self, path: str, *, expect: int = 200) -> Json:
        """The answer to a GET, which has this status."""
        answer = await self.client.get(path)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json()
        return found

    async def patch(self, path: str, body: object, *, expect: int = 200) -> Json:
        """The answer to a PATCH, which has this status."""
        answer = await self.client.patch(path, json=body)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json()
        return found

    async def delete(self, path: str, *, expect: int = 204) -> None:
        """DELETE, which is answered with this status."""
        answer = await self.client.delete(path)
        assert answer.status_code == expect, answer.text

    async def events(self, chat_id: int, since: int = 0) -> list[Json]:
        """What happened in a chat after a seq, all of which is kept."""
        page = await self.get(f"/chats/{chat_id}/events?since={since}&limit=500")
        assert page["reset"] is False
        return list(page["data"])

    async def group(self, *others: "Person", chat_type: str = "group") -> int:
        """The id of a new chat with these members."""
        body = {"chat_type": chat_type, "name": "A chat", "user_ids": [other.id for other in others]}
        return int((await self.post("/chats", body, expect=201))["id"])

    async def say(self, chat_id: int, text: str = "hello", **more: object) -> Json:
        """A new message."""
        return await self.post(f"/chats/{chat_id}/messages", {"body": text, **more}, expect=201)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Socket"]:
        """A socket that is signed in."""
        async with open_socket(self.running.app) as socket:
            await socket.say({"type": "auth", "token": self.token})
            assert (await socket.hear())["type"] == "ready"
            yield socket

    @asynccontextmanager
    async def listening(self, chat_id: int, **more: object) -> AsyncIterator["Socket"]:
        """A socket that is subscribed to a chat."""
        async with self.socket() as socket:
            await socket.say({"type": "subscribe", "chat_id": chat_id, **more})
            assert (await socket.hear())["type"] == "subscribed"
            yield socket


async def person(running: RunningApplication, login: str) -> Person:
    """Somebody signed in at this application, made if missing."""
    client = await running.as_user(login)
    return Person(running, client, (await client.get("/me")).json())


async def newcomer(running: RunningApplication, name: str) -> Person:
    """Somebody new, signed in at this application."""
    return await person(running, f"{name}-{secrets.token_hex(4)}")


def at_another_worker(who: Person, running: RunningApplication) -> Person:
    """The same person in the same session, at another application on the same database."""
    me = {"id": who.id, "login": who.login, "name": who.name}
    return Person(running, who.client, me)


async def by_key(who: Person, *scopes: str) -> Person:
    """The same user, who shows an API key with these scopes."""
    made = await who.post("/api_keys", {"name": "a robot", "scopes": list(scopes)}, expect=201)
    client = await who.running.client(token=made["key"])
    return Person(who.running, client, {"id": who.id, "login": who.login, "name": who.name})


class Socket:
    """The far end of one socket over plain ASGI."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self.opened_at = datetime.now(UTC)
        self.accepted: Message | None = None
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def send(self, message: Message) -> None:
        """What the application calls."""
        if message["type"] == "websocket.accept":
            self.accepted = message
        elif message["type"] == "websocket.close":
            self.closed.set_result(message["code"])
        else:
            self.outgoing.put_nowait(message)

    async def say(self, frame: object) -> None:
        """Send a frame: JSON, or a text as it is."""
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self) -> Json:
        """The next frame. News of a membership older than the socket may arrive late, and is left out; who
        comes and goes is another matter, too: see `hear_presence`.
        """
        while True:
            found = await self.hear_any()
            is_late = (
                found["type"] == "member_added" and datetime.fromisoformat(found["at"]) <= self.opened_at
            )
            if found["type"] != "presence" and not is_late:
                return found

    async def hear_presence(self) -> Json:
        """The next word of somebody who came online or went; whatever else is said is passed over."""
        while True:
            found = await self.hear_any()
            if found["type"] == "presence":
                return found

    async def hear_any(self) -> Json:
        """The next frame, whatever it is."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self.outgoing.get()
        found: Json = msgspec.json.decode(message["text"])
        return found

    async def hear_until(self, is_last: Callable[[Json], bool]) -> list[Json]:
        """The frames up to the one that fits, that one included."""
        heard = [await self.hear()]
        while not is_last(heard[-1]):
            heard.append(await self.hear())
        return heard

    async def answer(self, frame: object) -> Json:
        """Send a frame, and hear the next one."""
        await self.say(frame)
        return await self.hear()

    async def silence(self) -> None:
        """Nothing was said to us before the answer to a ping."""
        assert await self.answer({"type": "ping"}) == {"type": "pong"}

    async def close_code(self) -> int:
        """The code that the application closes with."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.shield(self.closed)


@asynccontextmanager
async def two_workers(database_url: str, **settings: Any) -> AsyncIterator[tuple[Person, Person]]:
    """Ada at one application, bob at the other, on one database."""
    async with (
        chat_application(database_url, **settings) as one,
        chat_application(database_url, **settings) as other,
    ):
        yield await person(one, "ada"), await person(other, "bob")


@asynccontextmanager
async def open_socket(
    app: Starlette, *, headers: Sequence[tuple[str, str]] = (), subprotocols: Sequence[str] = ()
) -> AsyncIterator[Socket]:
    """A socket whose handshake was answered; we leave it at the end."""
    socket = Socket()
    scope = socket_scope("/ws/chat", headers=headers) | {"subprotocols": list(subprotocols)}
    socket.incoming.put_nowait({"type": "websocket.connect"})
    serving = asyncio.create_task(app(scope, socket.incoming.get, socket.send))
    try:
        yield socket
    finally:
        socket.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE_SECONDS):
            await serving
