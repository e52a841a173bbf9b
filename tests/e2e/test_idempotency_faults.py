"""Keys sent again and again to two workers, one of which is killed in the middle: each is one row."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Final

import asyncpg
import httpx
import pytest

from tests.support.databases import fresh_database
from tests.support.program import Program, open_folder

PASSWORD: Final = "correct horse battery staple"
KEYS: Final = 5_000
TIMES: Final = 3
AT_ONCE: Final = 24
TRIES: Final = 200

pytestmark = [pytest.mark.faults, pytest.mark.load]


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    async with fresh_database(server_url) as url:
        yield url


@pytest.fixture
def program(database_url: str) -> Iterator[Program]:
    settings = {"DATABASE__URL": database_url, "HTTP__WORKERS": "2", "AUTH__ADMIN_PASSWORD": PASSWORD}
    with open_folder() as folder, Program(folder, settings) as program:
        yield program.wait_until_ready()


async def test_every_key_is_one_row_whatever_is_killed(program: Program, database_url: str) -> None:
    base_url = f"http://127.0.0.1:{program.port}"
    async with httpx.AsyncClient(
        base_url=base_url, timeout=30, limits=httpx.Limits(max_connections=AT_ONCE)
    ) as client:
        signed_in = await client.post("/signin", json={"login": "admin", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        orders = [number for number in range(KEYS) for _ in range(TIMES)]
        random.Random(11).shuffle(orders)
        done = 0

        async def work(mine: list[int]) -> list[tuple[int, bytes]]:
            nonlocal done
            answers = []
            for number in mine:
                answers.append((number, await until_made(client, number)))
                done += 1
                if done in (len(orders) // 3, 2 * len(orders) // 3):
                    os.kill(random.choice(program.workers()).pid, signal.SIGKILL)
            return answers

        shares = [orders[index::AT_ONCE] for index in range(AT_ONCE)]
        answers = [answer for share in await asyncio.gather(*map(work, shares)) for answer in share]
    assert len(answers) == KEYS * TIMES
    assert len(set(answers)) == KEYS  # the same answer each time
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetchrow(
            "SELECT count(*), count(DISTINCT name) FROM partners WHERE name ~ '^p[0-9]+$'"
        )
        assert tuple(rows) == (KEYS, KEYS)
    finally:
        await connection.close()


async def until_made(client: httpx.AsyncClient, number: int) -> bytes:
    """The answer of 201 to a key, sent again as often as nobody, or nobody yet, answers it."""
    for _ in range(TRIES):
        try:
            answer = await client.post(
                "/api/partners", json={"name": f"p{number}"}, headers={"Idempotency-Key": f"k{number}"}
            )
        except httpx.TransportError:
            await asyncio.sleep(0.05)  # a worker that was killed: its clients come back
            continue
        if answer.status_code == 201:
            return answer.content
        assert answer.status_code in (409, 503), answer.text
        await asyncio.sleep(0.05)
    raise AssertionError(f"key {number} was never answered")
