"""POST /api/{route}/aggregate."""

from typing import Any

import pytest

from orm.verbs.aggregate import MAX_GROUPS
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/tasks/aggregate"


@pytest.mark.parametrize(
    ("who", "body", "data"),
    [
        ("admin", {}, [{"count": 4}]),
        ("bob", {}, [{"count": 2}]),
        ("admin", {"filter": [["id", "=", 99]]}, [{"count": 0}]),
        ("admin", {"filter": [["id", "=", 99]], "group_by": ["done"]}, []),
        (
            "admin",
            {"group_by": ["owner_id.name", "done"], "values": {"tasks": ["count", "id"]}},
            [
                {"owner_id.name": "Ada", "done": False, "tasks": 1},
                {"owner_id.name": "Ada", "done": True, "tasks": 1},
                {"owner_id.name": "Bob", "done": False, "tasks": 2},
            ],
        ),
        (
            "admin",
            {
                "group_by": ["created_at:year", "parent_id"],
                "values": {
                    "least": ["min", "hours"],
                    "sum": ["sum", "hours"],
                    "last": ["max", "due_at"],
                    "rank": ["sum", "rank"],
                },
                "filter": [["owner_id", "=", 1]],
            },
            [
                {
                    "created_at:year": "2026-01-01T00:00:00Z",
                    "parent_id": 1,
                    "least": "0.25",
                    "sum": "0.25",
                    "last": None,
                    "rank": 1,
                },
                {
                    "created_at:year": "2026-01-01T00:00:00Z",
                    "parent_id": None,
                    "least": "1.50",
                    "sum": "1.50",
                    "last": "2026-03-01T08:00:00Z",
                    "rank": 3,
                },
            ],
        ),
        ("eve", {"values": {"most": ["max", "rank"]}}, [{"most": 5}]),
    ],
)
async def test_figures_are_of_the_rows_that_the_asker_sees(
    world: World, who: str, body: dict[str, Any], data: Any
) -> None:
    for _ in range(2):
        before = world.db.pool.round_trips
        answer = await world.ask(who, "POST", PATH, body)
        assert (answer.status, answer.json()) == (200, {"data": data})
    assert world.db.pool.round_trips - before == 1


def wrong(body: object, places: dict[str, str], who: str = "admin", status: int = 422) -> Case:
    return Case(who, "POST", PATH, status, body, places=places)


@table(
    wrong({"group_by": ["colour"]}, {"/group_by/0": "unknown_field"}),
    wrong({"group_by": ["id", "details"]}, {"/group_by/1": "not_grouped"}),
    wrong({"group_by": ["title:month"]}, {"/group_by/0": "operator_type"}),
    wrong({"group_by": ["labels.name"]}, {"/group_by/0": "not_grouped"}),
    wrong({"group_by": ["created_at:moon"]}, {"/group_by/0": "unknown_unit"}),
    wrong({"group_by": ["created_at:month; DROP TABLE tasks"]}, {"/group_by/0": "unknown_unit"}),
    wrong({"group_by": ["id"] * 11}, {"/group_by": "too_many"}),
    wrong({"group_by": "id"}, {"/group_by": "type"}),
    wrong({"values": {}}, {"/values": "required"}),
    wrong({"values": {"a": ["median", "rank"]}}, {"/values/a/0": "unknown_function"}),
    wrong({"values": {"a": ["sum", "title"]}}, {"/values/a/0": "operator_type"}),
    wrong({"values": {"a": ["sum", "rank); --"]}}, {"/values/a/1": "unknown_field"}),
    wrong({"values": {"a": ["sum"]}}, {"/values/a": "length"}),
    wrong({"values": {"a": "sum"}}, {"/values/a": "type"}),
    wrong({"values": {str(n): ["count", "id"] for n in range(51)}}, {"/values": "too_many"}),
    wrong({"filter": [["colour", "=", 1]]}, {"/filter/0/0": "unknown_field"}),
    wrong({"having": []}, {"/having": "unknown"}),
    wrong({"group_by": ["token"]}, {"/group_by/0": "denied"}, status=403),
    wrong({"group_by": ["owner_id.password_hash"]}, {"/group_by/0": "denied"}, status=403),
    wrong({"values": {"a": ["max", "token"]}}, {"/values/a/1": "denied"}, status=403),
    wrong({"filter": [["token", "is null"]]}, {"/filter/0/0": "denied"}, status=403),
    wrong({"group_by": ["hours"]}, {"/group_by/0": "denied"}, "eve", 403),
    wrong({"values": {"a": ["sum", "hours"]}}, {"/values/a/1": "denied"}, "eve", 403),
    wrong({"filter": [["hours", ">", 1]]}, {"/filter/0/0": "denied"}, "eve", 403),
    wrong({"group_by": ["owner_id.salary"]}, {"/group_by/0": "denied"}, "bob", 403),
    Case("new", "POST", PATH, 403, {}),
    Case("mute", "POST", PATH, 403, {}),
    Case("admin", "POST", f"{PATH}?limit=1", 422, {}),
    Case("admin", "POST", PATH, 400, b"{"),
    Case("admin", "GET", PATH, 405),
    Case("admin", "POST", "/api/journal/aggregate", 200, {}, contains=('"count":1',)),
    Case("admin", "POST", "/api/vaults/aggregate", 404, {}),
)
async def test_a_wrong_question_is_refused_at_its_place(world: World, case: Case) -> None:
    await check(world, case)


async def test_a_part_of_the_groups_does_not_pass_for_all(world: World) -> None:
    await world.db.execute(
        "INSERT INTO tasks (title, owner_id, created_at)"
        f" SELECT 't' || n, 1, now() FROM generate_series(1, {MAX_GROUPS}) n"
    )
    await check(world, wrong({"group_by": ["id"]}, {"/group_by": "too_many"}))
