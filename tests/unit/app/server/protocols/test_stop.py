"""The end of a worker: nothing new, and an answer to all that had come."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.served import parsed
from tests.unit.app.server.protocols.conftest import World

QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_request_under_way_is_answered_and_is_the_last_of_its_connection(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await world.asked.wait()
    world.server.stop()
    await asyncio.sleep(0.05)
    with pytest.raises(OSError):  # noqa: PT011  # refused or reset, as the system likes
        await world.says(QUICK)
    world.go.set()
    said = (await reader.read()).lower()
    assert said.startswith(b"http/1.1 200 ")
    assert b"connection: close\r\n" in said
    assert said.endswith(b'"slow"')


async def test_a_request_that_comes_on_an_idle_connection_is_still_answered(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(QUICK)
    await reader.readuntil(b'"quick"')
    world.server.stop()
    await asyncio.sleep(0.1)
    writer.write(QUICK)
    said = (await reader.read()).lower()
    assert b"connection: close\r\n" in said
    assert said.endswith(b'"quick"')


async def test_a_connection_that_stays_idle_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.uvicorn_server.IDLE_SECONDS", 0.05)
    reader, _ = await world.connect()
    await world.settled(1)
    world.server.stop()
    async with asyncio.timeout(5):
        assert await reader.read() == b""


async def test_sockets_are_told_to_come_back(world: World) -> None:
    async with connect(f"ws://127.0.0.1:{world.port}/ws") as socket:
        world.server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_what_takes_longer_than_the_time_to_stop_is_cut_off(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await world.asked.wait()
    world.server.stop()
    async with asyncio.timeout(10):  # one second to stop, and one for what was cancelled
        (said,) = parsed(await reader.read())
    assert said.status == 503
    assert said.problem["type"] == "urn:starling:unavailable"
    assert said.headers["retry-after"] == "1"
