"""The client and its socket, against a server that says what the test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from services.chat.client import ChatClient, ChatRefused, Live, Lost, Notice, SignedOut
from services.chat.client import client as client_module
from tests.support.eventually import eventually

Frame = dict[str, Any]


class Server:
    """Signs everybody in and acknowledges messages; what it hears of each socket is kept."""

    def __init__(self) -> None:
        self.url = ""
        self.sockets: list[ServerConnection] = []
        self.heard: list[list[Frame]] = []
        self.answers: dict[str, Callable[[Frame], list[Frame]]] = {
            "auth": lambda _: [{"type": "ready", "user_id": 1, "heartbeat_seconds": 25.0, "worker": "w"}],
            "ping": lambda _: [{"type": "pong"}],
            "send": self.acknowledge,
        }
        self.codes: list[int] = []
        """Codes to close the next sockets with, instead of signing in."""

    def acknowledge(self, frame: Frame) -> list[Frame]:
        return [{"type": "ack", "nonce": frame["nonce"], "message_id": 5, "seq": 9}]

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        heard: list[Frame] = []
        self.heard.append(heard)
        with suppress(ConnectionClosed):
            async for text in socket:
                frame = msgspec.json.decode(text)
                heard.append(frame)
                if self.codes:
                    await socket.close(self.codes.pop(0))
                    return
                answers = self.answers.get(frame["type"])
                for answer in answers(frame) if answers is not None else []:
                    await socket.send(msgspec.json.encode(answer).decode())

    @property
    def said(self) -> list[str]:
        """The types of what the last socket heard."""
        return [frame["type"] for frame in self.heard[-1]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with serve(made.serve, "127.0.0.1", 0) as listening:
        made.url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short."""
    for name in ("RETRY_SECONDS", "JITTER_SECONDS", "FIRST_WAIT_SECONDS"):
        monkeypatch.setattr(client_module, name, 0.01)


class Tokens:
    """Gives the tokens t0, t1, ...; each time another one."""

    def __init__(self) -> None:
        self.rejected: list[str | None] = []

    async def __call__(self, rejected: str | None) -> str:
        self.rejected.append(rejected)
        return f"t{len(self.rejected) - 1}"


async def until(notices: AsyncIterator[Notice], kind: type[Notice]) -> Notice:
    """The next notice of a kind; others are passed over."""
    async with asyncio.timeout(5):
        async for notice in notices:
            if isinstance(notice, kind):
                return notice
    raise AssertionError("the client has ended")


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[tuple[ChatClient, AsyncIterator[Notice], Tokens]]:
    tokens = Tokens()
    async with ChatClient(server.url, tokens) as client:
        notices = client.__aiter__()
        await until(notices, Live)
        yield client, notices, tokens


async def test_it_signs_in_follows_everything_and_sends(server: Server) -> None:
    async with connected(server) as (client, _, tokens):
        sent = await client.send(7, "hello")
        assert (sent.message_id, sent.seq) == (5, 9)
        client.say({"type": "typing", "chat_id": 7})
        await client.send(7, "again")
    assert server.heard[0][0] == {"type": "auth", "token": "t0"}
    assert server.said == ["auth", "subscribe_all", "ping", "send", "typing", "send"]
    assert tokens.rejected == [None]


async def test_what_was_not_acknowledged_is_said_again_in_order_on_the_next_socket(server: Server) -> None:
    async with connected(server) as (client, notices, _):
        server.answers["send"] = lambda _: []
        waiting = [client.send(7, f"{number}", nonce=f"{number}") for number in range(3)]
        await eventually(lambda: server.said.count("send") == 3)
        server.answers["send"] = server.acknowledge
        client.drop()
        waiting.append(client.send(7, "3", nonce="3"))
        assert await until(notices, Lost) == Lost(1006)
        assert [(await one).nonce for one in waiting] == ["0", "1", "2", "3"]
    assert [frame["nonce"] for frame in server.heard[-1] if frame["type"] == "send"] == ["0", "1", "2", "3"]


async def test_what_is_sent_before_there_is_a_connection_waits_for_one(server: Server) -> None:
    async with ChatClient(server.url, Tokens()) as client:
        client.say({"type": "typing", "chat_id": 7})  # of no use later
        assert (await client.send(7, "hello")).seq == 9
    assert server.said == ["auth", "subscribe_all", "ping", "send"]


async def test_what_may_pass_is_tried_again_and_what_is_refused_is_raised(server: Server) -> None:
    def refuse(frame: Frame) -> list[Frame]:
        server.answers["send"] = server.acknowledge
        return [{"type": "error", "ref": frame["nonce"], "problem": {"status": 503}}]

    def deny(frame: Frame) -> list[Frame]:
        return [{"type": "error", "ref": frame["nonce"], "problem": {"status": 403, "detail": "No."}}]

    async with connected(server) as (client, _, _):
        server.answers["send"] = refuse
        assert (await client.send(7, "hello")).seq == 9
        server.answers["send"] = deny
        with pytest.raises(ChatRefused, match=r"No\.") as caught:
            await client.send(7, "hello")
        assert caught.value.notice.problem["status"] == 403


async def test_it_comes_back_as_the_code_says(server: Server) -> None:
    async with connected(server) as (_, notices, tokens):
        for code in (1012, 4013, 1011, 4429, 1001):
            await server.sockets[-1].close(code)
            assert await until(notices, Lost) == Lost(code)
            await until(notices, Live)
        assert tokens.rejected == [None] * 6
        await server.sockets[-1].close(4401)
        await until(notices, Live)
        assert tokens.rejected[-1] == "t5"


@pytest.mark.parametrize("code", [4400, 4403])
async def test_it_does_not_come_back_when_the_code_says_so(server: Server, code: int) -> None:
    async with connected(server) as (client, notices, _):
        waiting = client.send(7, "never")
        server.answers["send"] = lambda _: []
        await server.sockets[-1].close(code)
        with pytest.raises(SignedOut, match=str(code)):
            async with asyncio.timeout(5):
                async for _notice in notices:
                    pass
        with suppress(SignedOut):
            await waiting
    assert len(server.sockets) == 1


async def test_a_source_without_tokens_ends_it(server: Server) -> None:
    async def none(rejected: str | None) -> str:
        raise SignedOut("the password was changed")

    async with ChatClient(server.url, none) as client:
        with pytest.raises(SignedOut, match="password"):
            async for _ in client:
                pass


async def test_a_server_that_is_away_is_tried_again(server: Server) -> None:
    server.codes = [1012, 1012]
    async with connected(server):
        assert len(server.sockets) == 3


async def test_a_dead_connection_is_noticed_and_replaced(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PONG_SECONDS", 0.02)
    server.answers["auth"] = lambda _: [
        {"type": "ready", "user_id": 1, "heartbeat_seconds": 0.02, "worker": "w"}
    ]
    async with connected(server) as (_, notices, _):
        await eventually(lambda: server.said.count("ping") >= 3)  # silence, and a pong each time
        server.answers["ping"] = lambda _: []
        assert await until(notices, Lost) == Lost(1006)


async def test_it_is_not_faster_than_the_server_takes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "FRAMES_PER_SECOND", 100)
    began = asyncio.get_running_loop().time()
    async with connected(server) as (client, _, _):
        await asyncio.gather(*(client.send(7, f"{number}") for number in range(120)))
    assert asyncio.get_running_loop().time() - began >= 0.2
