"""Clients that take their time."""

import asyncio
import time

from app.http.settings import HttpSettings
from tests.support.served import read_all
from tests.unit.app.server.protocols.conftest import Serve, World

QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
HURRIED = HttpSettings(header_timeout_seconds=0.2, body_timeout_seconds=0.2)


async def trickle(world: World, sent: bytes) -> tuple[bytes, float]:
    """What the server says to bytes that come one by one, and how long it took."""
    reader, writer = await world.connect()
    began = time.monotonic()

    async def send() -> None:
        for byte in sent:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

    sending = asyncio.create_task(send())
    async with asyncio.timeout(10):
        said = await read_all(reader)
    took = time.monotonic() - began
    sending.cancel()
    await asyncio.wait([sending])
    writer.close()
    return said, took


async def test_a_head_that_trickles_is_408_at_its_deadline(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        said, took = await trickle(world, b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Name: " + b"x" * 300)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"urn:starling:request_timeout" in said
        assert 0.2 <= took < 5
        assert world.guard.refused == {408: 1}


async def test_a_body_that_trickles_is_408_at_its_deadline(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        (said,) = await world.says(POST + b'{"na')
        assert said.status == 408
        assert said.problem["detail"] == "The body of the request did not come in time."


async def test_a_body_has_a_deadline_of_its_own(serve: Serve) -> None:
    async with serve(HttpSettings(header_timeout_seconds=0.1, body_timeout_seconds=30)) as world:
        reader, writer = await world.connect()
        writer.write(POST)
        await asyncio.sleep(0.3)
        writer.write(b'{"name":"a"}')
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        assert await world.says() == []


async def test_empty_lines_keep_no_connection_open(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        said, took = await trickle(world, b"\r\n" * 300)
        assert took < 5
        assert said == b"" or said.startswith(b"HTTP/1.1 4")


async def test_a_second_request_has_its_own_deadline(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        first, second = await world.says(QUICK, b"GET /quick HT")
        assert (first.status, second.status) == (200, 408)


async def test_an_idle_connection_outlives_the_deadlines_of_a_request(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        reader, writer = await world.connect()
        for _ in range(2):
            writer.write(QUICK)
            answer = await reader.readuntil(b'"quick"')
            assert answer.startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.3)
        writer.close()


async def test_a_slow_answer_is_no_slow_request(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        reader, writer = await world.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await world.asked.wait()
        await asyncio.sleep(0.4)
        world.go.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_body_that_the_application_does_not_read_is_not_the_clients_fault(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        reader, writer = await world.connect()
        writer.write(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000)
        await world.asked.wait()
        await asyncio.sleep(0.4)
        world.go.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_client_that_does_not_read_its_answer_is_cut_off(serve: Serve) -> None:
    async with serve(HURRIED) as world:
        _, writer = await world.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        await world.asked.wait()
        await world.settled(0)
        writer.transport.abort()
