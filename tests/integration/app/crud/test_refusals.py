"""Bad input: the right 4xx, at once, and no connection is taken for it."""

from urllib.parse import quote

import msgspec
import pytest
from starlette.types import Message

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World
from tests.support.asgi import Client, http_scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = {"title": "mow", "owner_id": 1}
SQL = "1; DROP TABLE tasks; --"
HUGE = list(range(1001))


def nested(depth: int, inside: object = ("id", "=", 1)) -> list[object]:
    """A filter of so many levels."""
    condition: object = inside
    for _ in range(depth - 1):
        condition = ["not", condition]
    return [condition]


def asked(**parameters: object) -> str:
    """/api/tasks with these parameters, those that are no text as JSON."""
    texts = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in parameters.items()
    }
    return "/api/tasks?" + "&".join(f"{name}={quote(text)}" for name, text in texts.items())


def search(body: object, places: dict[str, str] | None = None, status: int = 422) -> Case:
    return Case("admin", "POST", "/api/tasks/search", status, body, places=places)


def get(path: str, places: dict[str, str] | None = None, status: int = 422) -> Case:
    return Case("admin", "GET", path, status, places=places)


FILTERS = [
    (["id", "=", 1], "", "type"),
    ([1], "/0", "type"),
    ([[]], "/0", "type"),
    ([[1, "=", 1]], "/0", "type"),
    ([["id", "="]], "/0", "type"),
    ([["id", "=", 1, 2]], "/0", "type"),
    ([["colour", "=", 1]], "/0/0", "unknown_field"),
    ([["id", "=", 1], ["owner_id.colour", "=", 1]], "/1/0", "unknown_field"),
    ([["title.name", "=", 1]], "/0/0", "not_a_relation"),
    ([["id", "==", 1]], "/0/1", "unknown_operator"),
    ([["id", SQL, 1]], "/0/1", "unknown_operator"),
    ([[SQL, "=", 1]], "/0/0", "unknown_field"),
    ([['id" = 1 OR "id', "=", 1]], "/0/0", "unknown_field"),
    ([["id", "=", SQL]], "/0/2", "type"),
    ([["id", "=", "1"]], "/0/2", "type"),
    ([["id", "=", 2**63]], "/0/2", "type"),
    ([["id", "=", 10**30]], "/0/2", "type"),
    ([["id", "=", {"$ne": 1}]], "/0/2", "type"),
    ([["done", "=", 1]], "/0/2", "type"),
    ([["due_at", ">", "yesterday"]], "/0/2", "type"),
    ([["due_at", ">", "2026-01-01T00:00:00"]], "/0/2", "type"),
    ([["hours", ">", "a lot"]], "/0/2", "type"),
    ([["title", "=", "a\0b"]], "/0/2", "type"),
    ([["id", ">", None]], "/0/2", "type"),
    ([["id", "in", 1]], "/0/2", "type"),
    ([["id", "in", HUGE]], "/0/2", "too_many"),
    ([["id", "in", [1, "x"]]], "/0/2/1", "type"),
    ([["id", "between", [1]]], "/0/2", "type"),
    ([["rank", "like", "1%"]], "/0/1", "operator_type"),
    ([["details", "<", 1]], "/0/1", "operator_type"),
    ([["title", "contains", "a"]], "/0/1", "operator_type"),
    ([["title", "like", "\\"]], "/0/2", "pattern"),
    ([["or"]], "/0", "type"),
    ([["not", ["id", "=", 1], ["id", "=", 2]]], "/0", "type"),
    ([["or", ["id", "=", 1], ["id", "?", 1]]], "/0/2/1", "unknown_operator"),
    (nested(11), "/0" + "/1" * 10, "too_deep"),
    ([["id", "=", 1]] * 201, "/200", "too_many"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "place", "code"), FILTERS, ids=lambda value: str(value)[:40])
async def test_a_wrong_filter_is_told_the_same_way_by_query_and_by_body(
    world: World, condition: object, place: str, code: str
) -> None:
    before = world.db.pool.round_trips
    await check(world, get(asked(filter=condition), {"/query/filter" + place: code}))
    await check(world, search({"filter": condition}, {"/filter" + place: code}))
    body = {"filter": condition, "values": {"rank": 1}}
    await check(world, Case("admin", "PATCH", "/api/tasks", 422, body, places={"/filter" + place: code}))
    await check(
        world,
        Case(
            "admin", "POST", "/api/tasks/delete", 422, {"filter": condition}, places={"/filter" + place: code}
        ),
    )
    assert world.db.pool.round_trips == before


@table(
    # how much, how far
    get("/api/tasks?limit=0", {"/query/limit": "range"}),
    get("/api/tasks?limit=501", {"/query/limit": "range"}),
    get("/api/tasks?limit=1000000000", {"/query/limit": "range"}),
    get("/api/tasks?limit=-1", {"/query/limit": "type"}),
    get("/api/tasks?limit=all", {"/query/limit": "type"}),
    get(f"/api/tasks?offset={2**63}", {"/query/offset": "range"}),
    get("/api/tasks?count=guessed", {"/query/count": "choice"}),
    search({"limit": 10**9, "offset": -1}, {"/limit": "range", "/offset": "range"}),
    search({"limit": 10**30}, {"/limit": "range"}),
    # which fields, in what order
    get("/api/tasks?fields=colour", {"/query/fields/0": "unknown_field"}),
    get("/api/tasks?fields=", {"/query/fields/0": "unknown_field"}),
    get("/api/tasks?fields=id,,title", {"/query/fields/1": "unknown_field"}),
    get("/api/tasks?fields=id,title.x", {"/query/fields/1": "not_a_relation"}),
    get(asked(fields=SQL), {"/query/fields/0": "unknown_field"}),
    get(asked(fields="id," + ",".join(["parent_id.title"] * 200)), {"/query/fields": "too_many"}),
    get("/api/tasks?fields=" + "parent_id." * 11 + "id", {"/query/fields/0": "too_deep"}),
    get("/api/tasks/1?fields=colour", {"/query/fields/0": "unknown_field"}),
    get("/api/tasks/1?limit=1", {"/query/limit": "unknown"}),
    get("/api/tasks?order=colour", {"/query/order/0": "unknown_field"}),
    get("/api/tasks?order=title,--id", {"/query/order/1": "unknown_field"}),
    get(asked(order="title; DROP TABLE tasks"), {"/query/order/0": "unknown_field"}),
    get(asked(order="id DESC"), {"/query/order/0": "unknown_field"}),
    get("/api/tasks?order=owner_id.name", {"/query/order/0": "unknown_field"}),
    get("/api/tasks?order=details", {"/query/order/0": "not_ordered"}),
    get("/api/tasks?order=" + ",".join(["id"] * 11), {"/query/order": "too_many"}),
    search({"order": "-colour"}, {"/order": "unknown_field"}),
    search({"fields": ["id", "colour"]}, {"/fields/1": "unknown_field"}),
    # parameters and parts that there are not
    get("/api/tasks?where=1&Limit=1", {"/query/where": "unknown", "/query/Limit": "unknown"}),
    get("/api/tasks?limit=1&limit=2", {"/query/limit": "doubled"}),
    get("/api/tasks?fields=%FF", status=400),
    Case("admin", "POST", "/api/tasks/search?limit=1", 422, {}, places={"/query": "unknown"}),
    Case("admin", "POST", "/api/tasks?dry_run=1", 422, NEW, places={"/query/dry_run": "unknown"}),
    Case("admin", "PATCH", "/api/tasks/1?fields=id", 422, {}, places={"/query": "unknown"}),
    Case("admin", "PATCH", "/api/tasks?all=true", 422, {"values": {"rank": 1}}, places={"/query": "unknown"}),
    Case("admin", "DELETE", "/api/tasks/1?force=1", 422, places={"/query": "unknown"}),
    Case("admin", "POST", "/api/tasks/delete?all=true", 422, {}, places={"/query": "unknown"}),
    # values
    Case("admin", "POST", "/api/tasks", 422, {}, places={"/title": "required", "/owner_id": "required"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"id": 9, "colour": 1},
         places={"/id": "readonly", "/colour": "unknown"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"created_at": "2026-01-01T00:00:00Z"},
         places={"/created_at": "readonly"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"rank": 1001, "done": "yes", "title": ""},
         places={"/title": "length", "/rank": "range", "/done": "type"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"owner_id": SQL}, places={"/owner_id": "type"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {"rank": 2**40}, places={"/rank": "range"}),
    Case("admin", "POST", "/api/tasks", 422, NEW | {SQL: 1}, places={f"/{SQL}": "unknown"}),
    Case("admin", "POST", "/api/tasks", 422, [NEW, 1, {"rank": "x"}],
         places={"/1": "type", "/2/rank": "type", "/2/title": "required", "/2/owner_id": "required"}),
    Case("admin", "POST", "/api/tasks", 422, [NEW] * 1001, places={"": "length"}),
    Case("admin", "POST", "/api/tasks", 422, [[NEW]], places={"/0": "type"}),
    Case("admin", "POST", "/api/tasks", 422, "text", places={"": "type"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, [{"rank": 1}], places={"": "type"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"title": None, "rank": None},
         places={"/title": "type", "/rank": "type"}),
    search([], {"": "type"}),
    search(None, {"": "type"}),
    # bodies that are no JSON, or say that they are not
    *[
        Case("admin", method, path, 400, text)
        for method, path in (
            ("POST", "/api/tasks"),
            ("POST", "/api/tasks/search"),
            ("POST", "/api/tasks/delete"),
            ("PATCH", "/api/tasks"),
            ("PATCH", "/api/tasks/1"),
        )
        for text in (b"", b"{", b'{"title": "a"', b"{'a': 1}", b"nonsense", b"\xff\xfe", b"[1,]", b"[" * 3000)
    ],
    *[
        Case("admin", "POST", "/api/tasks", 415, NEW, content_type=content_type)
        for content_type in ("", "text/plain", "text/json", "application/x-www-form-urlencoded",
                             "application/json; charset=utf-16", "application/jsonp")
    ],
    Case("admin", "PATCH", "/api/tasks/1", 415, {"rank": 1}, content_type="text/plain"),
    Case("admin", "POST", "/api/tasks/search", 415, {}, content_type="text/plain"),
    # paths
    *[
        Case("admin", method, f"/api/tasks/{segment}", 404, {})
        for method in ("GET", "PATCH", "DELETE", "POST")
        for segment in ("one", "-1", "1.0", "1e3", str(2**63), "9" * 4000, "", "1/2", SQL, "\u0661", "Search")
    ],
)  # fmt: skip
async def test_bad_input_is_refused_without_asking_the_database(world: World, case: Case) -> None:
    before = world.db.pool.round_trips
    await check(world, case)
    assert world.db.pool.round_trips == before


async def test_a_body_over_the_limit_is_refused_before_it_is_read(world: World) -> None:
    before = world.db.pool.round_trips
    answer = await world.ask("admin", "POST", "/api/tasks", b"[" + b" " * 1_048_576)
    assert answer.status == 413
    assert world.db.pool.round_trips == before


@pytest.mark.parametrize(
    "parts", [(b'{"tit', b'le": "mow", "own', b'er_id": 1}'), (b"", b"", b'{"title":"mow","owner_id":1}')]
)
async def test_a_body_that_comes_in_pieces_is_one_body(world: World, parts: tuple[bytes, ...]) -> None:
    headers = [
        ("authorization", "Bearer admin"),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ]
    client = Client(*parts)
    await world.app(http_scope("POST", "/api/tasks", headers=headers), client.receive, client.send)
    assert client.answered().status == 201


async def test_a_client_that_leaves_in_the_middle_of_its_body_writes_nothing(world: World) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"title": "mow", "owner_id": 1}', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    client = Client()
    headers = [("authorization", "Bearer admin"), ("content-type", "application/json")]
    await world.app(http_scope("POST", "/api/tasks", headers=headers), receive, client.send)
    assert client.sent == []
    assert await world.rows("tasks") == 4


async def test_a_filter_within_its_limits_is_answered(world: World) -> None:
    for condition in (nested(10), [["id", ">", 0]] * 200, [["id", "in", HUGE[:1000]]]):
        assert (await world.ask("admin", "POST", "/api/tasks/search", {"filter": condition})).status == 200
