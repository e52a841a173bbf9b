"""PATCH /api/{route} and POST /api/{route}/delete: every row that passes a filter."""

import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("body", "count", "changed"),
    [
        ({"filter": [["done", "=", False]], "values": {"note": "later"}}, 3, [2, 3, 4]),
        ({"filter": [["owner_id.name", "=", "Ada"]], "values": {"note": "later", "rank": 1}}, 2, [1, 2]),
        ({"filter": [["id", "in", [1, 99]]], "values": {"note": "later"}, "all": True}, 1, [1]),
        ({"filter": [["id", "=", 99]], "values": {"note": "later"}}, 0, []),
        ({"values": {"note": "later"}, "all": True}, 4, [1, 2, 3, 4]),
    ],
)
async def test_a_bulk_change_writes_the_rows_that_pass_and_counts_them(
    world: World, body: object, count: int, changed: list[int]
) -> None:
    answer = await world.ask("admin", "PATCH", "/api/tasks", body)
    assert (answer.status, answer.json()) == (200, {"count": count})
    found = await world.get('/api/tasks?filter=[["note","=","later"]]')
    assert [row["id"] for row in found["data"]] == changed


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"filter": [["parent_id", "is not null"]]}, 2),
        ({"filter": [["id", "=", 99]]}, 0),
        ({"all": True, "filter": [["title", "in", ["rest", "water"]]]}, 2),
        ({"all": True}, 4),
    ],
)
async def test_a_bulk_deletion_removes_the_rows_that_pass_and_counts_them(
    world: World, body: object, count: int
) -> None:
    answer = await world.ask("admin", "POST", "/api/tasks/delete", body)
    assert (answer.status, answer.json()) == (200, {"count": count})
    assert await world.rows("tasks") == 4 - count


async def test_a_bulk_write_costs_one_round_trip(world: World) -> None:
    for method, path, body in (
        ("PATCH", "/api/tasks", {"filter": [["id", "=", 3]], "values": {"note": "x"}}),
        ("POST", "/api/tasks/delete", {"filter": [["id", "=", 99]]}),
    ):
        await world.ask("bob", method, path, body)
        before = world.db.pool.round_trips
        assert (await world.ask("bob", method, path, body)).status == 200
        assert world.db.pool.round_trips - before == 1


ONE = [["id", "=", 1]]


@table(
    Case("admin", "PATCH", "/api/tasks", 422, {"values": {"rank": 1}}, places={"/filter": "empty"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": [], "values": {"rank": 1}},
         places={"/filter": "empty"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"values": {}},
         places={"/filter": "empty", "/values": "empty"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": ONE, "values": {}}, places={"/values": "empty"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": ONE}, places={"/values": "required"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": {}, "values": {"rank": 1}, "all": 1},
         places={"/filter": "type", "/all": "type"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": ONE, "values": {"rank": 5000, "id": 1}},
         places={"/values/rank": "range", "/values/id": "readonly"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": ONE, "values": {"hours": "1.234"}},
         places={"/values/hours": "invalid"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": [["colour", "=", 1]], "values": {"rank": 1}},
         places={"/filter/0/0": "unknown_field"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"filter": [["rank", "~", 1]], "values": {"rank": 1}},
         places={"/filter/0/1": "unknown_operator"}),
    Case("admin", "PATCH", "/api/tasks", 409, {"filter": ONE, "values": {"parent_id": 99}},
         places={"/values/parent_id": "foreign_key"}),
    Case("admin", "PATCH", "/api/tasks", 409, {"all": True, "values": {"title": "same"}},
         places={"/values/owner_id": "unique", "/values/title": "unique"}),
    Case("admin", "PATCH", "/api/tasks", 403, {"filter": [["token", "is null"]], "values": {"rank": 1}},
         places={"/filter/0/0": "denied"}),
    Case("bob", "PATCH", "/api/tasks", 403, {"filter": ONE, "values": {"rank": 1}},
         places={"/values/rank": "denied"}),
    Case("eve", "PATCH", "/api/tasks", 403, {"filter": ONE, "values": {"rank": 1}}),
    Case("admin", "POST", "/api/tasks/delete", 422, {}, places={"/filter": "empty"}),
    Case("admin", "POST", "/api/tasks/delete", 422, {"filter": []}, places={"/filter": "empty"}),
    Case("admin", "POST", "/api/tasks/delete", 422, {"filter": None}, places={"/filter": "type"}),
    Case("admin", "POST", "/api/tasks/delete", 422, {"filter": ONE, "values": {}},
         places={"/values": "unknown"}),
    Case("admin", "POST", "/api/tasks/delete", 422, {"filter": [["id", "in", list(range(1001))]]},
         places={"/filter/0/2": "too_many"}),
    Case("admin", "POST", "/api/tasks/delete", 403, {"filter": [["owner_id.password_hash", "like", "a%"]]},
         places={"/filter/0/0": "denied"}),
    Case("admin", "POST", "/api/tasks/delete", 409, {"filter": ONE}, contains=("Task.parent_id",)),
    Case("eve", "POST", "/api/tasks/delete", 403, {"all": True}),
)  # fmt: skip
async def test_a_bulk_write_that_is_wrong_says_where_and_changes_nothing(world: World, case: Case) -> None:
    before = await world.get("/api/tasks")
    await check(world, case)
    assert await world.get("/api/tasks") == before
