"""Two users on warm paths at the same time, some of whose requests are cut off: nobody is given what is
another's.

The requests run in one process and share its connections, caches and event loop. What a context leaks, or a
connection that was cancelled in the middle of an answer, would show as a body with the other one's words.
"""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from orm.access import current_asker
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_schema

ROUNDS = 400
CUT = 0.3


class Person:
    """A user with partners of his own, all of which carry his word."""

    def __init__(self, word: str, client: httpx.AsyncClient, user_id: int, partner_id: int) -> None:
        self.word, self.client, self.user_id, self.partner_id = word, client, user_id, partner_id

    async def ask(self, which: int) -> str:
        """One of the paths that everybody uses all the time; what was answered."""
        own = f'filter=[["owner_id","=",{self.user_id}]]'
        row = f"/api/partners/{self.partner_id}"
        answer = await [
            lambda: self.client.get("/me"),
            lambda: self.client.get(row),
            lambda: self.client.get(f"/api/partners?{own}&count=exact"),
            lambda: self.client.post(
                "/api/partners/search", json={"filter": [["owner_id", "=", self.user_id]]}
            ),
            lambda: self.client.patch(row, json={"note": f"note of {self.word}"}),
            lambda: self.client.post("/api/partners", json={"name": f"another of {self.word}"}),
            lambda: self.client.get("/sessions"),
        ][which % 7]()
        assert answer.status_code in (200, 201), answer.text
        return answer.text


@pytest_asyncio.fixture
async def running(run_database_url: str) -> AsyncIterator[RunningApplication]:
    async with fresh_schema(run_database_url) as url, running_application(url) as application:
        yield application


async def person(running: RunningApplication, word: str) -> Person:
    client = await running.as_user(word)
    client.headers["user-agent"] = f"agent of {word}"
    made = await client.post("/api/partners", json={"name": f"first of {word}"})
    assert made.status_code == 201, made.text
    return Person(word, client, made.json()["owner_id"], made.json()["id"])


async def test_no_body_ever_crosses(running: RunningApplication) -> None:
    people = [await person(running, word) for word in ("aardvark", "bumblebee")]
    words = {one.word for one in people}
    chance = random.Random(7)

    async def once(one: Person, which: int) -> None:
        asking = asyncio.create_task(one.ask(which))
        if chance.random() < CUT:
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            asking.cancel()
        try:
            told = await asking
        except asyncio.CancelledError:
            return
        assert not any(other in told for other in words - {one.word}), told

    for start in range(0, ROUNDS, 8):
        rounds = range(start, start + 8)
        await asyncio.gather(*(once(people[n % 2], chance.randrange(7)) for n in rounds))

    assert current_asker() is None
    for one in people:
        assert one.word in await one.ask(2)
