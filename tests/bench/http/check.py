"""Whether a contestant answers what is right, and does what it was told, before anything is timed."""

import random
from typing import Any, Final

import asyncpg
import httpx

from tests.bench.http.contestant import Contestant
from tests.bench.http.dialects import Dialect
from tests.bench.http.questions import question, right_answer
from tests.bench.http.shape import READING

_TIMES: Final = 5


class WrongAnswer(Exception):
    """A contestant answered or stored something else than it should. Its str says what."""


async def check(connection: "asyncpg.Connection[Any]", contestant: Contestant, products: int) -> None:
    """Return when every case is right in every dialect. Raises WrongAnswer."""
    async with httpx.AsyncClient() as client:
        await _refuses_others(client, contestant)
        for dialect in (contestant.dialect, *contestant.others.values()):
            rng = random.Random(1)
            for case in dialect.cases:
                for _ in range(_TIMES):
                    asked = question(case, rng, products)
                    await _check_one(connection, client, contestant, dialect, case, asked)


async def _refuses_others(client: httpx.AsyncClient, contestant: Contestant) -> None:
    asked = contestant.dialect.asked("R", {"id": 1})
    for headers in ({}, {"Authorization": f"Bearer {contestant.token[:-4]}AAAA"}):
        answer = await client.get(contestant.server.base + asked.path, headers=headers)
        if answer.status_code != 401:
            raise WrongAnswer(f"{contestant.title} answers {answer.status_code} without a valid token")


async def _check_one(
    connection: "asyncpg.Connection[Any]",
    client: httpx.AsyncClient,
    contestant: Contestant,
    dialect: Dialect,
    case: str,
    asked: Any,
) -> None:
    try:
        status, found = await contestant.ask(client, case, asked, dialect)
    except (LookupError, TypeError, ValueError) as error:
        raise WrongAnswer(f"{contestant.title}, {case}: an answer of another form: {error!r}") from error
    if status >= 400:
        raise WrongAnswer(f"{contestant.title}, {case}: {status} {found[:300]}")
    if case in READING:
        _same(contestant, case, found, await right_answer(connection, case, asked))
        return
    stored = await right_answer(connection, "R", {"id": asked.get("id") or found["id"]})
    given = dict(asked)
    category = given.pop("category_id", stored["category"]["id"])
    if {name: stored[name] for name in given} != given or stored["category"]["id"] != category:
        raise WrongAnswer(f"{contestant.title}, {case}: stored {stored} instead of {asked}")
    if not isinstance(found.get("category"), dict):  # what was written may be answered without the name
        stored["category"] = stored["category"]["id"]
    _same(contestant, case, found, {name: stored[name] for name in found})


def _same(contestant: Contestant, case: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise WrongAnswer(f"{contestant.title}, {case}: {str(found)[:700]} instead of {str(wanted)[:700]}")


async def check_rule(contestant: Contestant, foreign_id: int) -> None:
    """Return when a product of somebody else is not there for this contestant. Raises WrongAnswer."""
    async with httpx.AsyncClient() as client:
        status, found = await contestant.ask(client, "R", {"id": foreign_id})
    if status != 404:
        raise WrongAnswer(f"{contestant.title} answers {status} for a row that a rule hides: {found}")
