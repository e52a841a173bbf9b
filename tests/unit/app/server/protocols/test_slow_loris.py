"""Many clients that send a byte now and then, and one that wants an answer."""

import asyncio
import time

import pytest

from app.http.settings import HttpSettings
from tests.support.served import read_all
from tests.unit.app.server.protocols.conftest import Serve, World

QUICK = b"GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def drip(world: World) -> bytes:
    """What the server says at last to a head that goes on for ever."""
    reader, writer = await world.connect()
    reading = asyncio.create_task(read_all(reader))
    writer.write(b"GET /quick HTTP/1.1\r\nHost: x\r\nName: ")
    while not reading.done():
        writer.write(b"x")
        await asyncio.wait([reading], timeout=0.1)
    writer.close()
    return await reading


async def longest_wait(world: World, requests: int) -> float:
    """The longest time that an honest request took, in seconds."""
    waits = []
    for _ in range(requests):
        began = time.perf_counter()
        (said,) = await world.says(QUICK)
        assert said.status == 200
        waits.append(time.perf_counter() - began)
    return max(waits)


async def honest_clients_are_served(serve: Serve, lorises: int, requests: int) -> None:
    http = HttpSettings(header_timeout_seconds=1, max_connections_per_address=lorises + 10)
    async with serve(http) as world:
        dripping = [asyncio.create_task(drip(world)) for _ in range(lorises)]
        await world.settled(lorises)
        assert (
            await longest_wait(world, requests) < 2
        )  # a fault would make it the second that a deadline is, again and again
        said = await asyncio.gather(*dripping)
        assert all(one.startswith(b"HTTP/1.1 408 ") for one in said)
        await world.settled(0)


async def test_a_few_slow_clients_do_not_hurt_the_others(serve: Serve) -> None:
    await honest_clients_are_served(serve, lorises=50, requests=50)


@pytest.mark.load
async def test_five_hundred_slow_clients_do_not_hurt_the_others(serve: Serve) -> None:
    await honest_clients_are_served(serve, lorises=500, requests=300)
