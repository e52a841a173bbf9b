"""How much one request may ask for, and what it is told beyond: each limit a clear problem."""

from typing import Any, Final

import pytest

from app.crud.bounds import NESTED_LIMIT
from orm import Database
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


def nested(levels: int) -> dict[str, object]:
    """Children of children, one of each."""
    found: dict[str, object] = {"limit": 1}
    for _ in range(levels - 1):
        found = {"limit": 1, "nested": {"children": found}}
    return {"children": found}


@table(
    Case("admin", "GET", "/api/tasks?limit=501", 422, places={"/query/limit": "range"},
         contains=("1 to 500",)),
    Case("admin", "POST", "/api/tasks/search", 422, {"limit": 501}, places={"/limit": "range"}),
    Case("admin", "POST", "/api/tasks/search", 422, {"nested": {"labels": {"limit": 501}}},
         places={"/nested/labels/limit": "range"}, contains=("1 to 500",)),
    Case("admin", "POST", "/api/tasks/search", 200, {"nested": nested(10)}),
    Case("admin", "POST", "/api/tasks/search", 422, {"nested": nested(11)}, contains=("10 deep",)),
    Case("admin", "POST", "/api/tasks/search", 422, {"filter": [["id", "=", 1]] * 201},
         contains=("200 conditions",)),
    Case("admin", "POST", "/api/tasks/search", 422, {"filter": [["id", "in", list(range(1001))]]},
         contains=("at most 1000",)),
    Case("admin", "POST", "/api/tasks", 422, [{"title": "a", "owner_id": 1}] * 1001, places={"": "length"}),
    Case("admin", "POST", "/api/tasks", 413, b" " * 1_048_577),
)  # fmt: skip
async def test_beyond_a_limit_the_answer_says_which(world: World, case: Case) -> None:
    await check(world, case)


async def test_a_nested_list_is_as_long_as_it_was_asked_to_be(world: World) -> None:
    await world.db.execute(
        "INSERT INTO tasks (title, owner_id, created_at)"
        " SELECT 't' || n, 1, now() FROM generate_series(1, 98) n"
    )
    assert len((await world.get("/api/people/1?fields=tasks"))["tasks"]) == NESTED_LIMIT
    assert len((await world.get("/api/people?fields=tasks.title"))["data"][0]["tasks"]) == NESTED_LIMIT
    behind = await world.get("/api/tasks/1?fields=owner_id.tasks.labels")
    assert len(behind["owner_id"]["tasks"]) == NESTED_LIMIT
    body = {"filter": [["id", "=", 1]], "nested": {"owner_id": {"fields": ["name", "tasks.title"]}}}
    answer = await world.ask("admin", "POST", "/api/tasks/search", body)
    assert len(answer.json()["data"][0]["owner_id"]["tasks"]) == NESTED_LIMIT
    for limit in (1, 100, 500):
        body = {"filter": [["id", "=", 1]], "nested": {"tasks": {"limit": limit, "order": "-id"}}}
        answer = await world.ask("admin", "POST", "/api/people/search", body)
        assert len(answer.json()["data"][0]["tasks"]) == min(limit, 100)


async def test_a_statement_that_takes_too_long_is_told_so(world: World) -> None:
    db = Database(world.db.url, max_size=2, statement_timeout_seconds=0.1)
    db.registry = world.registry
    await db.open()
    hurried, other = World(db, world.registry), await world.db.connect()
    try:
        await other.execute("BEGIN; LOCK TABLE tasks")
        for case in (
            Case("admin", "GET", "/api/tasks/1", 504),
            Case("admin", "POST", "/api/tasks/search", 504, {}),
            Case("admin", "PATCH", "/api/tasks/1", 504, {"note": "x"}),
            Case("admin", "POST", "/api/tasks/aggregate", 504, {}),
            Case("admin", "GET", "/api/tasks/export", 504),
            Case("admin", "POST", "/api/batch", 504, [{"method": "GET", "path": "/api/tasks"}]),
        ):
            answer = await check(hurried, case)
            assert answer.json()["type"] == "urn:starling:database_timeout"
    finally:
        await other.close()
        await db.close()
    assert (await world.get("/api/tasks/1"))["note"] == "in rows"


NEW = {"name": "new"}
ONE = {"filter": [["id", "=", 1]]}

# What each kind of model answers to an administrator: written here, only read here, guarded by If-Match,
# absent.
ROUTES: Final[tuple[tuple[Any, ...], ...]] = (
    ("GET", "", None, 200, 200, 200, 404),
    ("HEAD", "", None, 200, 200, 200, 404),
    ("POST", "", NEW, 201, 405, 201, 404),
    ("POST", "", [NEW], 201, 405, 201, 404),
    ("POST", "?on=name", NEW, 201, 405, 428, 404),
    ("PATCH", "", {**ONE, "values": {"name": "x"}}, 200, 405, 428, 404),
    ("PUT", "", NEW, 405, 405, 405, 404),
    ("DELETE", "", None, 405, 405, 405, 404),
    ("POST", "/search", {}, 200, 200, 200, 404),
    ("POST", "/delete", ONE, 200, 405, 428, 404),
    ("POST", "/aggregate", {}, 200, 200, 200, 404),
    ("GET", "/fields", None, 200, 200, 200, 404),
    ("GET", "/defaults", None, 200, 200, 200, 404),
    ("GET", "/export", None, 200, 200, 200, 404),
    ("GET", "/1", None, 200, 200, 200, 404),
    ("HEAD", "/1", None, 200, 200, 200, 404),
    ("PATCH", "/1", {"name": "x"}, 200, 405, 428, 404),
    ("DELETE", "/1", None, 204, 405, 428, 404),
    ("POST", "/1", NEW, 405, 405, 405, 404),
    ("POST", "/1/nothing", {}, 404, 404, 404, 404),
)


@pytest.mark.parametrize(("method", "path", "body", "written", "read", "guarded", "absent"), ROUTES)
async def test_every_kind_of_model_has_its_routes(
    world: World, method: str, path: str, body: object, written: int, read: int, guarded: int, absent: int
) -> None:
    for route, status in (("labels", written), ("journal", read), ("accounts", guarded), ("vaults", absent)):
        await check(world, Case("admin", method, f"/api/{route}{path}", status, {} if body is None else body))
        if status not in (404, 405):
            await check(
                world,
                Case("new", method, f"/api/{route}{path}", status if status == 428 else 403, body or {}),
            )
