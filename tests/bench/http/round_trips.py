"""How often a contestant waits for its database to answer one request."""

import random
import re
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from tests.bench.http.contestant import Contestant
from tests.bench.http.questions import question

_BEFORE: Final = 25  # by then every connection that takes part has prepared its statements
_COUNTED: Final = 20

_NUMBER: Final = re.compile(r"^starling_database_round_trips_total(?:{[^}]*})? (.+)$", re.MULTILINE)


async def round_trips(
    contestant: Contestant, products: int, counter: Callable[[], Awaitable[float]]
) -> dict[str, float]:
    """By case, how much `counter` grows with one request. BEGIN, COMMIT and resets count."""
    found = {}
    rng = random.Random(2)
    async with httpx.AsyncClient() as client:
        for case in contestant.dialect.cases:
            for _ in range(_BEFORE):
                await contestant.ask(client, case, question(case, rng, products))
            before = await counter()
            for _ in range(_COUNTED):
                await contestant.ask(client, case, question(case, rng, products))
            found[case] = (await counter() - before) / _COUNTED
    return found


def published(base: str) -> Callable[[], Awaitable[float]]:
    """A counter of what Starling itself publishes: the statements of its pool, on whichever worker."""

    async def count() -> float:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{base}/metrics")).text
        return sum(map(float, _NUMBER.findall(text)))

    return count
