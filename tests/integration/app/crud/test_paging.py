"""Walking through all rows page by page, by the cursor that each page ends with."""

from typing import Any

import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def walk(world: World, search: dict[str, Any], *, who: str = "admin") -> list[list[int]]:
    """The ids of each page."""
    pages: list[list[int]] = []
    after: dict[str, str] = {}
    while True:
        answer = await world.ask(who, "POST", "/api/tasks/search", search | after)
        assert answer.status == 200, answer.body
        found = answer.json()
        pages.append([row["id"] for row in found["data"]])
        if found["next"] is None:
            return pages
        after = {"after": found["next"]}


@pytest.mark.parametrize(
    ("search", "pages"),
    [
        ({"limit": 2}, [[1, 2], [3, 4]]),
        ({"limit": 3}, [[1, 2, 3], [4]]),
        ({"limit": 4}, [[1, 2, 3, 4]]),
        ({"limit": 1, "order": "-id"}, [[4], [3], [2], [1]]),
        ({"limit": 1, "order": ["hours"]}, [[2], [1], [3], [4]]),  # a decimal, and a null at the end
        ({"limit": 1, "order": ["-hours"]}, [[3], [1], [2], [4]]),
        ({"limit": 2, "order": ["done", "-created_at"], "fields": ["title"]}, [[4, 3], [2, 1]]),
        ({"limit": 2, "order": ["-due_at"], "filter": [["rank", ">", 1]]}, [[3, 1], [4]]),
    ],
)
async def test_pages_that_follow_each_other_have_every_row_once(
    world: World, search: dict[str, Any], pages: list[list[int]]
) -> None:
    assert await walk(world, search) == pages


async def test_a_page_by_query_goes_on_where_the_one_before_ended(world: World) -> None:
    first = await world.get("/api/tasks?limit=3&order=-rank&count=exact")
    second = await world.get(f"/api/tasks?limit=3&order=-rank&count=exact&after={first['next']}")
    assert [row["id"] for row in first["data"] + second["data"]] == [4, 1, 3, 2]
    assert (first["total"], second["total"], second["next"]) == (4, 4, None)


async def test_the_total_is_known_behind_the_last_row_too(world: World) -> None:
    first = await world.get("/api/tasks?limit=3")
    await world.db.execute("DELETE FROM tasks WHERE id = 4")
    rest = await world.get(f"/api/tasks?limit=3&count=exact&after={first['next']}")
    assert (rest["data"], rest["total"], rest["next"]) == ([], 3, None)


async def test_a_rule_holds_on_every_page(world: World) -> None:
    assert await walk(world, {"limit": 1}, who="bob") == [[3], [4]]


@table(
    Case("admin", "GET", "/api/tasks?after=", 422, places={"/query/after": "cursor"}),
    Case("admin", "GET", "/api/tasks?after=forged", 422, places={"/query/after": "cursor"}),
    Case("admin", "GET", "/api/tasks?after=" + "A" * 5000, 422, places={"/query/after": "cursor"}),
    Case("admin", "POST", "/api/tasks/search", 422, {"after": "é"}, places={"/after": "cursor"}),
)
async def test_a_cursor_that_is_none_is_refused(world: World, case: Case) -> None:
    before = world.db.pool.round_trips
    await check(world, case)
    assert world.db.pool.round_trips == before


async def test_a_cursor_belongs_to_its_order_filter_and_model(world: World) -> None:
    after = (await world.get("/api/tasks?limit=1"))["next"]
    for path in ("/api/tasks?order=-id", '/api/tasks?filter=[["id",">",0]]', "/api/people?limit=1"):
        await check(
            world,
            Case("admin", "GET", f"{path}&after={after}", 422, places={"/query/after": "cursor"}),
        )
