"""POST /api/{route}?on=: new rows, or where rows with the same key are there, changed ones."""

import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_row_is_made_or_changed_by_its_key(world: World) -> None:
    made = await world.ask("admin", "POST", "/api/labels?on=name", {"name": "new"})
    assert (made.status, made.json()) == (201, {"id": 4, "name": "new"})
    assert made.headers["location"] == "/api/labels/4"
    again = await world.ask("admin", "POST", "/api/labels?on=name", {"name": "new"})
    assert (again.status, again.json()["id"]) == (200, 4)
    assert "location" not in again.headers
    path = "/api/tasks?on=owner_id,title"
    changed = await world.ask("admin", "POST", path, {"title": "sow", "owner_id": 1, "note": "twice"})
    assert changed.json() == await world.get("/api/tasks/1")
    assert (changed.json()["note"], changed.json()["hours"]) == ("twice", "1.50")


async def test_a_list_is_answered_in_its_order(world: World) -> None:
    given = [{"name": name} for name in ("b", "field", "a", "garden")]
    answer = await world.ask("admin", "POST", "/api/labels?on=name", given)
    assert [row["name"] for row in answer.json()["data"]] == ["b", "field", "a", "garden"]
    ids = [row["id"] for row in answer.json()["data"]]
    assert ids[1::2] == [2, 1]
    assert answer.json()["created"] == ids[::2]
    assert await world.rows("labels") == 5
    assert (await world.ask("admin", "POST", "/api/labels?on=name", [])).json() == {
        "data": [],
        "created": [],
    }


async def test_rows_hang_on_an_upserted_row_too(world: World) -> None:
    body = [{"name": "field", "tasks": {"set": [4]}}, {"name": "new", "tasks": {"link": [1, 4]}}]
    assert (await world.ask("admin", "POST", "/api/labels?on=name", body)).status == 200
    assert (await world.get("/api/tasks/4?fields=labels.name"))["labels"] == [
        {"id": 2, "name": "field"},
        {"id": 4, "name": "new"},
    ]


async def test_who_has_a_rule_upserts_his_own(world: World) -> None:
    path = "/api/tasks?on=title,owner_id"
    changed = await world.ask("bob", "POST", path, {"title": "reap", "owner_id": 2, "note": "mine"})
    assert (changed.status, changed.json()["id"], changed.json()["note"]) == (200, 3, "mine")
    made = await world.ask("bob", "POST", path, [{"title": "mow", "owner_id": 2}])
    assert [row["title"] for row in made.json()["data"]] == ["mow"]


UPSERT = "/api/tasks?on=owner_id,title"
NEW = {"title": "mow", "owner_id": 1}


@table(
    Case("admin", "POST", "/api/tasks?on=title", 422, NEW, places={"/query/on": "not_unique"},
         contains=("owner_id,title",)),
    Case("admin", "POST", "/api/tasks?on=id", 422, NEW, places={"/query/on": "not_unique"}),
    Case("admin", "POST", "/api/tasks?on=", 422, NEW, places={"/query/on": "not_unique"}),
    Case("admin", "POST", "/api/tasks?on=owner_id,title,title", 422, NEW, places={"/query/on": "not_unique"}),
    Case("admin", "POST", "/api/tasks?on=1;%20DROP%20TABLE%20tasks", 422, NEW,
         places={"/query/on": "not_unique"}),
    Case("admin", "POST", "/api/tasks?on=token", 422, NEW, places={"/query/on": "not_unique"}),
    Case("admin", "POST", f"{UPSERT}&on=title", 422, NEW, places={"/query/on": "doubled"}),
    Case("admin", "POST", f"{UPSERT}&limit=1", 422, NEW, places={"/query/limit": "unknown"}),
    Case("admin", "POST", UPSERT, 422, {"title": "mow"}, places={"/owner_id": "required"}),
    Case("admin", "POST", UPSERT, 422, [NEW, NEW], places={"/1": "duplicate"}),
    Case("admin", "POST", UPSERT, 422, NEW | {"hours": "0.001"}, places={"/hours": "invalid"}),
    Case("admin", "POST", UPSERT, 422, [NEW, {**NEW, "title": "a", "hours": "0.001"}],
         places={"/1/hours": "invalid"}),
    Case("admin", "POST", "/api/people?on=email", 422, {"name": "E"}, places={"/email": "required"}),
    Case("admin", "POST", "/api/people?on=email", 422, {"name": "E", "email": None},
         places={"/email": "required"}),
    Case("admin", "POST", UPSERT, 409, NEW | {"parent_id": 99}, contains=("parent_id",)),
    Case("admin", "POST", "/api/accounts?on=name", 428, {"name": "cash", "balance": "0"}),
    Case("bob", "POST", UPSERT, 403, NEW),
    Case("bob", "POST", UPSERT, 403, {"title": "sow", "owner_id": 1, "note": "x"}),
    Case("bob", "POST", UPSERT, 403, {"title": "reap", "owner_id": 2, "rank": 1}),
    Case("eve", "POST", UPSERT, 403, NEW),
    Case("new", "POST", UPSERT, 403, NEW),
)  # fmt: skip
async def test_what_cannot_be_upserted_says_why_and_writes_nothing(world: World, case: Case) -> None:
    before = await world.get("/api/tasks"), await world.get("/api/people"), await world.get("/api/accounts")
    await check(world, case)
    after = await world.get("/api/tasks"), await world.get("/api/people"), await world.get("/api/accounts")
    assert after == before
