"""One who does not read, over a real connection: cut, nobody else notices, and nothing is lost for him."""

import asyncio
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services.chat import actions
from tests.integration.services.chat.rig import served
from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = 300
BODY = "ж" * 30_000


async def subscribed(url: str, who: Person, chat_id: int, since: int | None = None) -> ClientConnection:
    socket = await connect(url, max_size=None, compression=None, ping_interval=None)
    await say(socket, {"type": "auth", "token": who.token})
    more = {} if since is None else {"since": since}
    await say(socket, {"type": "subscribe", "chat_id": chat_id, **more})
    while (await hear(socket))["type"] != "subscribed":
        pass
    return socket


async def say(socket: ClientConnection, frame: object) -> None:
    await socket.send(msgspec.json.encode(frame).decode())


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(20):
        return msgspec.json.decode(await socket.recv())


async def seqs_heard(socket: ClientConnection, last: int) -> list[int]:
    """The seqs of events up to the last."""
    heard: list[int] = []
    while not heard or heard[-1] < last:
        frame = await hear(socket)
        if "seq" in frame:
            heard.append(frame["seq"])
    return heard


async def test_a_slow_reader_is_cut_the_others_get_everything_and_he_resumes(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    last = 2 + EVENTS
    async with served(ada.running.app) as port:
        url = f"ws://127.0.0.1:{port}/ws/chat"
        slow, healthy = await subscribed(url, bob, chat_id), await subscribed(url, ada, chat_id)
        slow.transport.pause_reading()
        reading = asyncio.create_task(seqs_heard(healthy, last))
        with ada.running.env.bind():
            for _ in range(EVENTS):  # 18 MB: more than any buffer on the way
                await actions.post_message(chat_id, ada.id, BODY)
        assert await reading == list(range(3, last + 1))
        slow.transport.resume_reading()
        heard: list[int] = [2]
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                frame = await hear(slow)
                heard += [frame["seq"]] if "seq" in frame else []
        assert closed.value.rcvd is None or closed.value.rcvd.code == 4013
        assert heard == list(range(2, heard[-1] + 1))
        assert heard[-1] < last
        back = await subscribed(url, bob, chat_id, since=heard[-1])
        assert await seqs_heard(back, last) == list(range(heard[-1] + 1, last + 1))
        for socket in (healthy, back):
            await socket.close()
