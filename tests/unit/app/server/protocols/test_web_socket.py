"""Handshakes that no WebSocket can follow."""

import asyncio

import pytest

from tests.support.served import parsed
from tests.unit.app.server.protocols.conftest import World

UPGRADE = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"\r\n", 400),
        (b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Key: short\r\n\r\n", 400),
        (b"POST /ws HTTP/1.1\r\n" + UPGRADE + KEY + b"Content-Length: 0\r\n\r\n", 405),
        (b"GET /ws HTTP/1.1\r\n" + UPGRADE + KEY + b"Name: " + b"x" * 9000 + b"\r\n\r\n", 431),
    ],
    ids=["no key", "a wrong key", "another method", "a long head"],
)
async def test_a_handshake_that_is_none_is_refused_as_a_problem(
    world: World, sent: bytes, status: int
) -> None:
    (said,) = await world.says(sent)
    assert said.status == status
    assert said.problem


async def test_a_socket_does_not_begin_in_the_middle_of_an_answer(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await world.asked.wait()
    writer.write(b"GET /ws HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n")
    await asyncio.sleep(0.05)
    world.go.set()
    line = await reader.readuntil(b'"slow"')
    assert line.startswith(b"HTTP/1.1 200 ")
    rest = await reader.readline()
    assert rest.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 101 "))
    writer.close()


async def test_a_handshake_while_the_process_stops_is_503(world: World) -> None:
    reader, writer = await world.connect()
    writer.write(b"GET /slow-handshake HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n")
    (said,) = parsed(await reader.read())
    assert said.status == 404
    writer.close()
