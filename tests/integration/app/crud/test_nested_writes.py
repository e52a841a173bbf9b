"""Rows written together with the rows that hang on them: all or nothing, every mistake at its place."""

from typing import Any

import pytest

from app.crud.payloads import MOST_RECORDS
from app.crud.relations import DEEPEST
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEEN = {"fields": ["name", "tasks.title", "tasks.labels.name", "tasks.children.title"]}


async def person(world: World, id: int) -> Any:
    """A person with the tasks, their labels and their children, as names."""
    body = SEEN | {"filter": [["id", "=", id]]}
    found = (await world.ask("admin", "POST", "/api/people/search", body)).json()["data"][0]
    return {
        task["title"]: (
            [label["name"] for label in task["labels"]],
            [child["title"] for child in task["children"]],
        )
        for task in found["tasks"]
    }


async def test_a_row_is_made_with_rows_on_rows(world: World) -> None:
    body = {
        "name": "Eve",
        "tasks": {
            "create": [
                {"title": "mow", "labels": {"create": [{"name": "lawn"}], "link": [1]}},
                {"title": "dig", "children": {"create": [{"title": "deeper", "owner_id": 2}]}},
            ],
            "link": [4],
        },
    }
    answer = await world.ask("admin", "POST", "/api/people", body)
    assert answer.status == 201, answer.body
    assert answer.json() == {"id": 4, "name": "Eve", "email": None, "salary": None}
    assert await person(world, 4) == {
        "rest": ([], []),
        "mow": (["garden", "lawn"], []),
        "dig": ([], ["deeper"]),
    }


async def test_every_command_changes_what_it_says(world: World) -> None:
    body = {
        "tasks": {
            "update": [{"id": 1, "note": "again", "labels": {"set": [3]}}, {"id": 2, "title": "flood"}],
            "create": [{"title": "mow"}],
        }
    }
    assert (await world.ask("admin", "PATCH", "/api/people/1", body)).status == 200
    assert await person(world, 1) == {
        "sow": (["house"], ["flood"]),
        "flood": (["garden"], []),
        "mow": ([], []),
    }
    labels = {"labels": {"unlink": [3], "link": [1, 2]}, "children": {"unlink": [2]}}
    assert (await world.ask("admin", "PATCH", "/api/tasks/1", labels)).status == 200
    assert (await person(world, 1))["sow"] == (["garden", "field"], [])
    gone = {"children": {"delete": [4]}}
    assert (await world.ask("admin", "PATCH", "/api/tasks/3", gone)).status == 200
    assert await world.rows("tasks") == 4


async def test_a_list_of_new_rows_has_rows_on_each_of_them(world: World) -> None:
    body = [{"name": name, "tasks": {"create": [{"title": name}]}} for name in "abc"]
    answer = await world.ask("admin", "POST", "/api/people", body)
    assert [row["name"] for row in answer.json()["data"]] == ["a", "b", "c"]
    assert [await person(world, number) for number in (4, 5, 6)] == [{name: ([], [])} for name in "abc"]


async def test_a_write_through_a_relation_moves_the_version_of_its_row(world: World) -> None:
    before = (await world.ask("admin", "GET", "/api/tasks/1")).headers["etag"]
    changed = await world.ask("admin", "PATCH", "/api/tasks/1", {"labels": {"link": [3]}})
    assert changed.headers["etag"] != before
    assert (await world.ask("admin", "GET", "/api/tasks/1")).headers["etag"] == changed.headers["etag"]
    refused = await world.ask("admin", "PATCH", "/api/tasks/1", {"labels": {"set": []}}, if_match=before)
    assert refused.status == 412
    assert (await world.get("/api/tasks/1?fields=labels"))["labels"] == [1, 2, 3]


NEW = {"title": "mow", "owner_id": 1}


@table(
    Case("admin", "POST", "/api/people", 422,
         {"name": "E", "tasks": {"create": [{"title": ""}, {}, {"title": "a", "rank": "x", "colour": 1}]}},
         places={"/tasks/create/0/title": "length", "/tasks/create/1/title": "required",
                 "/tasks/create/2/rank": "type", "/tasks/create/2/colour": "unknown"}),
    Case("admin", "POST", "/api/people", 422,
         [{"name": "E"}, {"name": "F", "tasks": {"create": [{"title": "a", "labels": {"create": [{}]}}]}}],
         places={"/1/tasks/create/0/labels/create/0/name": "required"}),
    Case("admin", "PATCH", "/api/people/1", 422,
         {"tasks": {"update": [{"title": "a"}, {"id": 1, "created_at": None, "owner_id": "x"}]}},
         places={"/tasks/update/0/id": "required", "/tasks/update/1/owner_id": "type",
                 "/tasks/update/1/created_at": "readonly"}),
    Case("admin", "POST", "/api/people", 422, {"name": "E", "tasks": {"create": [NEW]}},
         places={"/tasks/create/0/owner_id": "readonly"}),
    Case("admin", "POST", "/api/people", 422, {"name": "E", "tasks": {"create": [{"title": "a",
         "token": "x"}]}},
         places={"/tasks/create/0/token": "readonly"}),
    Case("admin", "POST", "/api/people", 422, {"name": "E", "tasks": {"create": [{"title": "a",
         "hours": "0.001"}]}},
         places={"/tasks/create/0/hours": "invalid"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": {"add": [1], "title": 1}},
         places={"/labels/add": "unknown", "/labels/title": "unknown"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": {"link": ["1", -1, 2**63]}},
         places={"/labels/link/0": "type", "/labels/link/1": "range", "/labels/link/2": "range"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": {"link": 1, "create": {}}},
         places={"/labels/link": "type", "/labels/create": "type"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": [1, 2]}, places={"/labels": "type"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": None}, places={"/labels": "type"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"labels": {"link": list(range(1001))}},
         places={"/labels/link": "length"}),
    Case("admin", "PATCH", "/api/tasks/1", 422,
         {"labels": {"link": list(range(1, 1000)), "create": [{"name": "a"}, {"name": "b"}]}},
         places={"/labels/create": "too_many"}),
    # what is read-only in its own place is no more writable through a relation
    Case("admin", "PATCH", "/api/tasks/1", 422, {"notes": {"create": [{"line": "x"}]}},
         places={"/notes": "readonly"}),
    Case("admin", "PATCH", "/api/people/1", 422,
         {"accounts": {"set": [], "unlink": [1], "link": [2], "update": [{"id": 1, "balance": 5}],
         "delete": [1]}},
         places={f"/accounts/{command}": "readonly" for command in ("set", "unlink", "link", "update",
         "delete")}),
    Case("admin", "PATCH", "/api/people", 422, {"all": True, "values": {"tasks": {"set": []}}},
         places={"/values/tasks": "readonly"}),
    # rows that are not there
    Case("admin", "PATCH", "/api/tasks/1", 404, {"labels": {"link": [1, 99]}},
         places={"/labels/link/1": "not_found"}),
    Case("admin", "PATCH", "/api/people/1", 404, {"tasks": {"update": [{"id": 3, "note": "x"}]}},
         places={"/tasks/update/0": "not_found"}),
    Case("admin", "PATCH", "/api/people/1", 404, {"tasks": {"delete": [2, 3]}},
         places={"/tasks/delete/1": "not_found"}),
    Case("admin", "PATCH", "/api/people/1", 422, {"tasks": {"unlink": [1]}},
         places={"/tasks/unlink": "required"}),
    # what the database says
    Case("admin", "POST", "/api/people", 409,
         {"name": "E", "tasks": {"create": [{"title": "a"}, {"title": "a"}]}},
         contains=("/tasks/create/1/title",)),
    Case("admin", "PATCH", "/api/tasks/1", 409, {"labels": {"create": [{"name": "new"}, {"name": "garden"}]}},
         places={"/labels/create/1/name": "unique"}),
    # rights
    Case("bob", "PATCH", "/api/tasks/1", 404, {"labels": {"set": []}}),
    Case("bob", "PATCH", "/api/tasks/3", 403, {"labels": {"link": [1]}}),
    Case("bob", "PATCH", "/api/tasks/3", 403, {"children": {"create": [{"title": "a", "owner_id": 1}]}}),
    Case("bob", "PATCH", "/api/tasks/3", 403, {"children": {"create": [{"title": "a", "owner_id": 2,
         "rank": 1}]}},
         places={"/children/create/0/rank": "denied"}),
    Case("bob", "PATCH", "/api/tasks/3", 404, {"children": {"link": [1]}},
         places={"/children/link/0": "not_found"}),
    Case("eve", "PATCH", "/api/tasks/1", 403, {"labels": {"set": []}}),
)  # fmt: skip
async def test_what_cannot_be_written_says_where_and_writes_nothing(world: World, case: Case) -> None:
    before = await everything(world)
    await check(world, case)
    assert await everything(world) == before


async def everything(world: World) -> Any:
    """All rows of all tables that a write here could touch."""
    return [
        await world.db.fetch(f"SELECT * FROM {name} ORDER BY 1, 2")
        for name in ("people", "tasks", "labels", "task_labels", "accounts")
    ]


def deep(levels: int) -> dict[str, Any]:
    """A task with a child, which has a child, and so on."""
    body: dict[str, Any] = {"title": "leaf", "owner_id": 1}
    for number in range(levels):
        body = {"title": f"t{number}", "owner_id": 1, "children": {"create": [body]}}
    return body


async def test_rows_are_nested_so_deep_and_no_deeper(world: World) -> None:
    assert (await world.ask("admin", "POST", "/api/tasks", deep(DEEPEST))).status == 201
    assert await world.rows("tasks") == 4 + DEEPEST + 1
    before = world.db.pool.round_trips
    place = "/children/create/0" * DEEPEST + "/children"
    case = Case("admin", "POST", "/api/tasks", 422, deep(DEEPEST + 1), places={place: "too_deep"})
    await check(world, case)
    assert (await world.ask("admin", "POST", "/api/tasks", deep(300))).status in (400, 422)
    assert world.db.pool.round_trips == before


async def test_a_request_writes_so_many_rows_and_no_more(world: World) -> None:
    rows = [{"title": f"t{number}"} for number in range(MOST_RECORDS)]
    answer = await world.ask("admin", "PATCH", "/api/people/1", {"tasks": {"create": rows}})
    assert answer.status == 200
    assert await world.rows("tasks") == 4 + MOST_RECORDS
    half = [{"name": "a", "tasks": {"create": rows[: MOST_RECORDS // 2]}} for _ in range(3)]
    await check(
        world, Case("admin", "POST", "/api/people", 422, half, places={"/2/tasks/create": "too_many"})
    )


POSITIONS = range(6)


@pytest.mark.parametrize("who", ["admin", "bob"])
@pytest.mark.parametrize("position", POSITIONS)
async def test_a_nested_write_that_fails_at_any_position_leaves_nothing(
    world: World, who: str, position: int
) -> None:
    owner = 2
    tasks: list[dict[str, Any]] = [{"title": f"t{number}", "owner_id": owner} for number in POSITIONS]
    tasks[position]["title"] = "rest"  # which that owner has already
    body = {"note": "changed", "children": {"create": tasks}}
    before = await everything(world)
    answer = await world.ask(who, "PATCH", "/api/tasks/3", body)
    assert answer.status == 409
    assert {place["pointer"] for place in answer.json()["errors"]} == {
        f"/children/create/{position}/owner_id",
        f"/children/create/{position}/title",
    }
    assert await everything(world) == before
