"""Cases of HTTP in a table: who asks what, and what the answer must and must not contain."""

from typing import Any

import msgspec
import pytest

from tests.integration.app.crud.world import SECRET, World
from tests.support.asgi import Answered


class Case(msgspec.Struct, frozen=True):
    """One request and its answer. `places` are the pointers and codes of a problem; None: not looked at."""

    who: str | None
    method: str
    path: str
    status: int
    body: Any = msgspec.UNSET
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    places: dict[str, str] | None = None
    content_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.who} {self.method} {self.path[:60]} -> {self.status}"


def table(*cases: Case) -> pytest.MarkDecorator:
    """Runs a test for each case."""
    return pytest.mark.parametrize("case", cases, ids=str)


async def check(world: World, case: Case) -> Answered:
    """Ask, and compare. No answer whatsoever has the content of a private field, SQL or a stack in it."""
    answer = await world.ask(case.who, case.method, case.path, case.body, content_type=case.content_type)
    text = answer.body.decode()
    assert answer.status == case.status, text
    for part in case.contains:
        assert part in text
    for part in (*case.lacks, SECRET, "Traceback", "SELECT ", "UPDATE ", "INSERT ", "asyncpg"):
        assert part not in text
    if case.places is not None:
        assert {place["pointer"]: place["code"] for place in answer.json()["errors"]} == case.places, text
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        if case.method != "HEAD":
            assert answer.json()["status"] == answer.status
            assert answer.json()["instance"] == answer.headers["x-request-id"]
    return answer
