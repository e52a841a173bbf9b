"""GET /api/{route}/{id}, GET /api/{route} and POST /api/{route}/search."""

import msgspec
import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOW = {
    "id": 1,
    "title": "sow",
    "note": "in rows",
    "hours": "1.50",
    "rank": 3,
    "done": True,
    "details": {"tool": "hoe"},
    "due_at": "2026-03-01T08:00:00Z",
    "created_at": "2026-01-01T00:00:00Z",
    "owner_id": 1,
    "parent_id": None,
}


async def test_a_row_is_answered_with_every_readable_field_in_the_order_of_the_model(world: World) -> None:
    answer = await world.ask("admin", "GET", "/api/tasks/1")
    assert answer.json() == SOW
    assert list(answer.json()) == list(SOW)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))


async def test_fields_that_were_asked_for_come_with_the_id_and_relations_as_objects(world: World) -> None:
    found = await world.get(
        "/api/tasks/2?fields=title,owner_id.name,parent_id.owner_id.email,parent_id.title"
    )
    assert found == {
        "id": 2,
        "title": "water",
        "owner_id": {"id": 1, "name": "Ada"},
        "parent_id": {"id": 1, "owner_id": {"id": 1, "email": "ada@example.org"}, "title": "sow"},
    }
    assert await world.get("/api/tasks/1?fields=parent_id.title") == {"id": 1, "parent_id": None}


async def test_a_to_many_relation_is_a_list_of_ids_or_of_objects(world: World) -> None:
    assert await world.get("/api/people/1?fields=name,tasks") == {"id": 1, "name": "Ada", "tasks": [1, 2]}
    body = {
        "fields": ["name", "tasks.title"],
        "nested": {"tasks": {"filter": [["done", "=", False]], "order": "-id", "limit": 1}},
    }
    found = (await world.ask("admin", "POST", "/api/people/search", body)).json()
    assert [(row["name"], row["tasks"]) for row in found["data"]] == [
        ("Ada", [{"id": 2, "title": "water"}]),
        ("Bob", [{"id": 4, "title": "rest"}]),
        ("Cyd", []),
    ]


async def test_fractions_of_a_second_and_documents_come_as_they_are_stored(world: World) -> None:
    found = await world.get("/api/tasks/3?fields=due_at,details,hours")
    assert found == {"id": 3, "due_at": "2026-08-01T10:00:00.500000Z", "details": [1, None], "hours": "12.00"}


async def test_head_answers_like_get_without_a_body(world: World) -> None:
    get, head = [await world.ask("admin", method, "/api/tasks/1") for method in ("GET", "HEAD")]
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_list_has_every_row_by_id_and_says_nothing_of_a_total(world: World) -> None:
    found = await world.get("/api/tasks")
    assert [row["id"] for row in found["data"]] == [1, 2, 3, 4]
    assert found["data"][0] == SOW
    assert found.keys() == {"data", "next"}
    assert found["next"] is None


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"order": "-rank"}, [4, 1, 3, 2]),
        ({"order": ["done", "-id"]}, [4, 3, 2, 1]),
        ({"order": ["hours"]}, [2, 1, 3, 4]),  # nulls last
        ({"order": ["-hours"]}, [3, 1, 2, 4]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "offset": 3}, [4]),
        ({"offset": 4}, []),
        ({"offset": 2**63 - 1}, []),
        ({"filter": [["rank", ">", 2]]}, [1, 4]),
        ({"filter": [["rank", ">", 2], ["done", "=", False]]}, [4]),
        ({"filter": [["or", ["title", "like", "re%"], ["owner_id.name", "=", "Ada"]]]}, [1, 2, 3, 4]),
        ({"filter": [["not", ["parent_id.owner_id", "=", 1]]]}, [1, 3, 4]),
        ({"filter": [["hours", "=", "1.5"]]}, [1]),
        ({"filter": [["hours", "is null"]]}, [4]),
        ({"filter": [["note", "=", None]]}, [2, 3]),
        ({"filter": [["note", "!=", "in rows"]]}, [2, 3, 4]),
        ({"filter": [["id", "in", [4, 2, 99]]]}, [2, 4]),
        ({"filter": [["created_at", "between", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]]]}, [2, 3]),
        ({"filter": [["details", "contains", {"tool": "hoe"}]]}, [1]),
        ({"filter": [["title", "=", "'; DROP TABLE tasks; --"]]}, []),
        ({"filter": [["title", "ilike", "%' OR 1=1 --%"]]}, []),
        ({"filter": [["id", "in", list(range(1, 1001))]], "limit": 500}, [1, 2, 3, 4]),
    ],
)
async def test_a_query_string_and_a_body_find_the_same_rows(
    world: World, search: dict[str, object], ids: list[int]
) -> None:
    by_body = await world.ask("admin", "POST", "/api/tasks/search", search)
    assert [row["id"] for row in by_body.json()["data"]] == ids
    query = []
    for name, value in search.items():
        if name == "filter":
            text = (
                msgspec.json.encode(value).decode().replace("%", "%25").replace(" ", "+").replace("&", "%26")
            )
        else:
            text = ",".join(value) if isinstance(value, list) else str(value)
        query.append(f"{name}={text}")
    by_query = await world.ask("admin", "GET", "/api/tasks?" + "&".join(query))
    assert by_query.body == by_body.body


@pytest.mark.parametrize(
    ("search", "count", "total"),
    [
        ({"limit": 1}, 1, 4),
        ({"filter": [["done", "=", False]], "limit": 1}, 1, 3),
        ({"filter": [["done", "=", False]], "offset": 3}, 0, 3),
        ({"filter": [["rank", ">", 100]]}, 0, 0),
        ({"fields": ["title"], "order": ["-hours", "rank"], "limit": 2}, 2, 4),
    ],
)
async def test_an_exact_count_is_of_all_rows_that_pass(
    world: World, search: dict[str, object], count: int, total: int
) -> None:
    found = (await world.ask("admin", "POST", "/api/tasks/search", search | {"count": "exact"})).json()
    assert (len(found["data"]), found["total"]) == (count, total)


async def test_a_read_and_a_counted_search_cost_one_round_trip_each(world: World) -> None:
    requests = [
        ("GET", "/api/tasks/1?fields=title,owner_id.name"),
        (
            "GET",
            '/api/tasks?filter=[["rank",">",0]]&order=-rank&limit=2&count=exact&fields=title,owner_id.name',
        ),
        ("HEAD", "/api/tasks/1"),
    ]
    for who in ("admin", "bob"):
        for method, path in requests:
            for _ in range(2):  # it prepares a statement, and for few rows another one
                await world.ask(who, method, path.replace("/1", "/3"))
            before = world.db.pool.round_trips
            answer = await world.ask(who, method, path.replace("/1", "/3"))
            assert (answer.status, world.db.pool.round_trips - before) == (200, 1)


async def test_a_list_is_fifty_rows_unless_more_are_asked_for(world: World) -> None:
    await world.db.execute("INSERT INTO journal (line) SELECT 'line ' || n FROM generate_series(1, 600) n")
    for path, count in (("", 50), ("?limit=500", 500), ("?limit=1", 1), ("?offset=590&limit=500", 11)):
        assert len((await world.get("/api/journal" + path))["data"]) == count


@table(
    Case("admin", "GET", "/api/tasks/99", 404, contains=("there is no Task 99",)),
    Case("admin", "GET", "/api/tasks/0", 404),
    Case("admin", "GET", f"/api/tasks/{2**63 - 1}", 404),
    Case("admin", "GET", f"/api/tasks/{2**63}", 404),
    Case("admin", "GET", "/api/tasks/one", 404),
    Case("admin", "GET", "/api/tasks/1/", 404),
    Case("admin", "GET", "/api/tasks/1/owner", 404),
    Case("admin", "GET", "/api/vaults", 404),
    Case("admin", "GET", "/api/vaults/1", 404),
    Case("admin", "GET", "/api/unknown", 404),
    Case("admin", "GET", "/api", 404),
    Case("admin", "GET", "/api/journal/1", 200, contains=('{"id":1,"line":"spring came","task_id":null}',)),
    Case("admin", "GET", "/api/journal", 200, contains=("spring came",)),
    Case("admin", "POST", "/api/journal/search", 200, {}, contains=("spring came",)),
    Case(
        "admin", "GET", "/api/people/1", 200, contains=("Ada", '"salary":"90.50"'), lacks=("password_hash",)
    ),
    Case("admin", "GET", "/api/people", 200, contains=("Ada", "Bob"), lacks=("password_hash",)),
    Case("admin", "GET", "/api/tasks/1", 200, contains=("sow",), lacks=('"token"',)),
)
async def test_what_a_path_answers(world: World, case: Case) -> None:
    await check(world, case)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/tasks/1", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/api/tasks/1", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/api/tasks", "GET, HEAD, PATCH, POST"),
        ("GET", "/api/tasks/search", "POST"),
        ("GET", "/api/tasks/delete", "POST"),
        ("POST", "/api/journal", "GET, HEAD"),
        ("PATCH", "/api/journal", "GET, HEAD"),
        ("PATCH", "/api/journal/1", "GET, HEAD"),
        ("DELETE", "/api/journal/1", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    world: World, method: str, path: str, allowed: str
) -> None:
    answer = await check(world, Case("admin", method, path, 405, {}))
    assert answer.headers["allow"] == allowed
