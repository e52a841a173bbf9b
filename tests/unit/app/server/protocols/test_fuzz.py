"""Requests that were cut, doubled, mixed up and folded: answers are well-formed, and the server goes on."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.served import Said, parsed
from tests.unit.app.server.protocols.conftest import World

ANSWERS = {200, 400, 404, 405, 408, 413, 415, 422, 426, 431}

STARTS = (
    b"GET /quick HTTP/1.1", b"POST /things HTTP/1.1", b"GET /quick HTTP/1.0", b"HEAD /quick HTTP/1.1",
    b"OPTIONS * HTTP/1.1", b"GET http://x/quick HTTP/1.1", b"CONNECT x:80 HTTP/1.1", b"PRI * HTTP/2.0",
    b"GET /%00%ff%zz HTTP/1.1", b"GET /quick?a=%22;DROP HTTP/1.1", b"GET /\xff HTTP/1.1",
    b"BREW /quick HTTP/1.1",
    b"GET /ws HTTP/1.1", b"GET //quick HTTP/1.1", b"GET quick HTTP/1.1",
)  # fmt: skip
FIELDS = (
    b"Host: x", b"Host: y", b"Content-Length: 12", b"Content-Length: 0", b"Content-Length: 99999999999",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding: Chunked, identity",
    b"Transfer-Encoding : chunked", b"Content-Type: application/json", b"Connection: close",
    b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Upgrade: h2c",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Expect: 100-continue", b"X-Request-ID: me",
    b"X-Request-ID: a\x01b", b"X-Long: " + b"x" * 3000, b" folded: value", b"\tfolded",
    b"No colon", b": empty",
    b"Na\x00me: value", b"Name: va\x00lue", b"Name: va\rlue", b"Name: \xff\xfe", b"Authorization: Bearer ada",
    b"Authorization: Bearer \xff", b"Origin: null", b"Content-Length: 12, 12", b"Content-Length: 1_2",
)  # fmt: skip
BODIES = (
    b"", b'{"name":"a"}', b"0\r\nTrailer: x\r\n\r\n", b"\x81\x05hello",
    b"0\r\n\r\n", b'c\r\n{"name":"a"}\r\n0\r\n\r\n',
    b'C;ext="\r\n"\r\n{"name":"a"}\r\n0\r\n\r\n',
    b"ffffffffffffffff\r\n", b"5\r\nhello0\r\n\r\n", b'c\n{"name":"a"}\n0\n\n',
)  # fmt: skip
LINE_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n\t")


def request(chance: random.Random) -> bytes:
    """One request, mostly wrong in one or two ways."""
    fields = chance.sample(FIELDS, chance.randint(0, 6))
    if chance.random() < 0.8:
        fields.insert(0, b"Host: x")
    lines = [chance.choice(STARTS), *fields]
    end = chance.choice(LINE_ENDS) if chance.random() < 0.3 else b"\r\n"
    return end.join(lines) + end + end + chance.choice(BODIES)


def damaged(chance: random.Random, sent: bytes) -> bytes:
    """The same with a byte changed, a piece lost or doubled, or as it was."""
    if not sent or chance.random() < 0.5:
        return sent
    at, upto = sorted(chance.choices(range(len(sent) + 1), k=2))
    return chance.choice(
        (
            sent[:at],
            sent[:at] + sent[upto:],
            sent[:upto] + sent[at:],
            sent[:at] + bytes([chance.randrange(256)]) + sent[at + 1 :],
        )
    )


def pieces(chance: random.Random, sent: bytes) -> Iterator[bytes]:
    """`sent` as it may come off the wire."""
    while sent:
        size = chance.choice((1, 7, 100, 10_000))
        yield sent[:size]
        sent = sent[size:]


async def answers(world: World, seed: int) -> tuple[bytes, list[Said]]:
    """What was sent, and all that came back until the server closed the connection."""
    chance = random.Random(seed)
    sent = b"".join(damaged(chance, request(chance)) for _ in range(chance.randint(1, 3)))
    reader, writer = await world.connect()
    try:
        for piece in pieces(chance, sent):
            writer.write(piece)
            await asyncio.sleep(0)
        writer.write_eof()
        async with asyncio.timeout(10):
            stream = await reader.read()
    except OSError:  # it closed while we were sending
        return sent, []
    finally:
        writer.close()
    if b"HTTP/1.1 101 " in stream or b"HEAD" in sent:
        return sent, []
    return sent, parsed(stream)


async def all_is_well(world: World, seeds: range) -> None:
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    for seed in seeds:
        sent, found = await answers(world, seed)
        for said in found:
            assert said.status in ANSWERS, (seed, sent, said)
            assert said.status in (200, 204) or said.problem, (seed, sent, said)
        assert not trouble, (seed, sent, trouble)
    (said,) = await world.says(b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert said.status == 200
    await world.settled(0)


async def test_damaged_requests_are_answered_well_and_break_nothing(world: World) -> None:
    await all_is_well(world, range(150))


@pytest.mark.fuzz
@pytest.mark.parametrize("start", range(0, 40_000, 10_000))
async def test_many_damaged_requests_are_answered_well_and_break_nothing(world: World, start: int) -> None:
    await all_is_well(world, range(1000 + start, 11_000 + start))
