"""POST, PATCH and DELETE of one row, and of a list of new rows."""

from typing import Any

import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_row_is_answered_as_stored_with_the_place_to_find_it(world: World) -> None:
    given = {
        "title": "mow",
        "note": "the lawn",
        "hours": "2.5",
        "details": {"b": 1, "a": [None]},
        "due_at": "2026-05-01T12:00:00+02:00",
        "owner_id": 1,
        "parent_id": 1,
    }
    answer = await world.ask("admin", "POST", "/api/tasks", given)
    assert (answer.status, answer.headers["location"]) == (201, "/api/tasks/5")
    made = answer.json()
    assert made == given | {
        "id": 5,
        "hours": "2.50",
        "rank": 0,
        "done": False,
        "due_at": "2026-05-01T10:00:00Z",
        "created_at": made["created_at"],
    }
    assert await world.get("/api/tasks/5") == made


async def test_a_location_is_below_the_path_that_the_application_is_served_under(world: World) -> None:
    answer = await world.ask("admin", "POST", "/api/tasks", {"title": "mow", "owner_id": 1}, root="/über")
    assert (answer.status, answer.headers["location"]) == (201, "/%C3%BCber/api/tasks/5")


async def test_a_number_is_taken_for_a_decimal_and_a_string_is_exact(world: World) -> None:
    for given, stored in (("0.10", "0.10"), (12, "12.00"), ("9999.99", "9999.99"), ("1e2", "100.00")):
        answer = await world.ask("admin", "PATCH", "/api/tasks/1", {"hours": given})
        assert answer.json()["hours"] == stored


async def test_a_list_creates_its_rows_in_its_order(world: World) -> None:
    given = [{"title": f"t{n}", "owner_id": 1 + n % 2, "rank": -n} for n in range(1000)]
    answer = await world.ask("admin", "POST", "/api/tasks", given)
    assert answer.status == 201
    assert "location" not in answer.headers
    made = answer.json()["data"]
    assert [row["id"] for row in made] == list(range(5, 1005))
    assert [{name: row[name] for name in given[0]} for row in made] == given
    assert made[0].keys() == (await world.get("/api/tasks/1")).keys()


async def test_rows_of_a_list_may_name_different_fields(world: World) -> None:
    given = [{"title": "a", "owner_id": 1}, {"owner_id": 2, "title": "b", "rank": 7, "note": None}]
    made = (await world.ask("admin", "POST", "/api/tasks", given)).json()["data"]
    assert [(row["title"], row["rank"], row["done"]) for row in made] == [("a", 0, False), ("b", 7, False)]


async def test_an_empty_list_creates_nothing(world: World) -> None:
    answer = await world.ask("admin", "POST", "/api/tasks", b" []")
    assert (answer.status, answer.json()) == (201, {"data": []})


async def test_a_change_writes_what_it_names_and_answers_the_whole_row(world: World) -> None:
    before = await world.get("/api/tasks/1")
    answer = await world.ask("admin", "PATCH", "/api/tasks/1", {"note": None, "rank": 9})
    assert (answer.status, answer.json()) == (200, before | {"note": None, "rank": 9})
    assert await world.get("/api/tasks/1") == answer.json()


async def test_a_change_of_nothing_answers_the_row(world: World) -> None:
    answer = await world.ask("admin", "PATCH", "/api/tasks/1", {})
    assert (answer.status, answer.json()) == (200, await world.get("/api/tasks/1"))


async def test_a_deleted_row_is_gone(world: World) -> None:
    answer = await world.ask("admin", "DELETE", "/api/tasks/4")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    for method in ("GET", "DELETE"):
        assert (await world.ask("admin", method, "/api/tasks/4")).status == 404


async def test_each_write_costs_one_round_trip(world: World) -> None:
    new = {"title": "a", "owner_id": 2}
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/api/tasks", new),
        ("PATCH", "/api/tasks/3", {"note": "x"}),
        ("DELETE", "/api/tasks/{}", None),
    ]
    for who in ("admin", "bob"):
        for method, path, body in requests:
            for number in range(2):
                given = body | {"title": f"{who}{number}"} if method == "POST" else body
                target = path.format(4 if number == 0 else 3)
                before = world.db.pool.round_trips
                answer = await world.ask(who, method, target, given or {})
                spent = world.db.pool.round_trips - before
                assert answer.status in (200, 201, 204), answer.body
            assert spent == 1, (who, method)
        await world.refill()


NEW = {"title": "mow", "owner_id": 1}


@table(
    Case("admin", "PATCH", "/api/tasks/99", 404, {"note": "x"}),
    Case("admin", "PATCH", "/api/tasks/99", 404, {}),
    Case("admin", "DELETE", "/api/tasks/99", 404),
    Case("admin", "POST", "/api/tasks", 409, NEW | {"title": "sow"},
         places={"/owner_id": "unique", "/title": "unique"}),
    Case("admin", "POST", "/api/people", 409, {"name": "A", "email": "ada@example.org"},
         places={"/email": "unique"}),
    Case("admin", "POST", "/api/tasks", 409, NEW | {"owner_id": 99}, places={"/owner_id": "foreign_key"}),
    Case("admin", "PATCH", "/api/tasks/1", 409, {"parent_id": 99}, places={"/parent_id": "foreign_key"}),
    Case("admin", "PATCH", "/api/people/2", 409, {"email": "ada@example.org"}, places={"/email": "unique"}),
    Case("admin", "DELETE", "/api/people/1", 409, contains=("Task.owner_id",)),
    Case("admin", "DELETE", "/api/tasks/1", 409, contains=("Task.parent_id",)),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"hours": "1.234"}, places={"/hours": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"hours": "NaN"}, places={"/hours": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"hours": "-1"}, places={"/hours": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"hours": "12345.00"}, places={"/hours": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"note": "a\0b"}, places={"/note": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"details": {"a": "\0"}}, places={"/details": "invalid"}),
    Case("admin", "POST", "/api/tasks", 422, [NEW, NEW | {"title": "b", "hours": "1.234"}, {"title": ""}],
         places={"/2/title": "length", "/2/owner_id": "required"}),
    Case("admin", "POST", "/api/tasks", 422, [NEW, NEW | {"title": "b", "hours": "1.234"}],
         places={"/1/hours": "invalid"}),
    Case("admin", "POST", "/api/tasks", 409, [NEW, NEW], contains=("another Task has this",)),
    Case("admin", "POST", "/api/tasks", 409, [NEW, NEW | {"title": "b", "owner_id": 99}]),
)  # fmt: skip
async def test_what_cannot_be_written_says_why_and_writes_nothing(world: World, case: Case) -> None:
    before = await world.get("/api/tasks"), await world.get("/api/people")
    await check(world, case)
    assert (await world.get("/api/tasks"), await world.get("/api/people")) == before


async def test_a_conflict_of_a_list_points_at_no_place_that_its_body_has_not(world: World) -> None:
    answer = await world.ask("admin", "POST", "/api/tasks", [NEW, NEW])
    assert {place["pointer"] for place in answer.json()["errors"]} == {""}


async def test_sql_in_a_value_is_a_value(world: World) -> None:
    text = "'); DROP TABLE tasks; --"
    for method, path in (("POST", "/api/people"), ("PATCH", "/api/people/1")):
        assert (await world.ask("admin", method, path, {"name": text})).json()["name"] == text
    assert await world.rows("tasks") == 4
