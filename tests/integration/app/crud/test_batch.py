"""POST /api/batch: all of it or nothing."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from app.crud.batch import MOST_ENTRIES
from app.crud.table import PREFIX, CrudTable
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World
from tests.support.asgi import Client, http_scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/batch"


def entry(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = {"method": method, "path": path}
    if body is not None:
        found["body"] = body
    if headers:
        found["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return found


def ref(text: str) -> dict[str, str]:
    return {"$ref": text}


async def run(world: World, *entries: dict[str, Any], who: str = "admin") -> list[dict[str, Any]]:
    """The answers of a batch that works."""
    answer = await world.ask(who, "POST", PATH, list(entries))
    assert answer.status == 200, answer.body
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_entries_are_answered_in_order_and_speak_of_earlier_ones(world: World) -> None:
    data = await run(
        world,
        entry("POST", "/api/people", {"name": "Eve"}),
        entry("POST", "/api/tasks", [{"title": "a", "owner_id": ref("0.id")}, {"title": "b", "owner_id": 1}]),
        entry("PATCH", "/api/tasks/{1.data.0.id}", {"note": "x", "labels": {"link": [1]}}),
        entry("POST", "/api/tasks/search", {"filter": [["owner_id", "=", ref("0.id")]],
                                            "fields": ["note", "labels"]}),
        entry("GET", "/api/people/{0.id}?fields=name,tasks.title"),
        entry("DELETE", "/api/tasks/{1.data.1.id}"),
        entry("GET", "/api/tasks?count=exact&fields=title&filter=" + quote('[["title","in",["a","b"]]]')),
        entry("POST", "/api/tasks/1/gist"),
    )  # fmt: skip
    assert [answer["status"] for answer in data] == [201, 201, 200, 200, 200, 204, 200, 200]
    assert data[0]["headers"]["location"] == "/api/people/4"
    assert data[0]["headers"]["etag"] == (await world.ask("admin", "GET", "/api/people/4")).headers["etag"]
    assert data[3]["body"]["data"] == [{"id": 5, "note": "x", "labels": [1]}]
    assert data[4]["body"] == {"id": 4, "name": "Eve", "tasks": [{"id": 5, "title": "a"}]}
    assert (data[5]["body"], data[5]["headers"]) == (None, {})
    assert (data[6]["body"]["total"], data[6]["body"]["data"]) == (1, [{"id": 5, "title": "a"}])
    assert data[7]["body"] == {"gist": "sow"}


async def test_hand_written_routes_work_inside_too(world: World) -> None:
    data = await run(
        world,
        entry("POST", "/api/by-hand/people", {"name": "Eve"}),
        entry("POST", "/api/tasks", {"title": "a", "owner_id": ref("0.id")}),
        entry("GET", "/api/by-hand/text"),
    )
    assert data[0] == {"status": 201, "headers": {"x-by": "hand"}, "body": {"id": 4, "name": "Eve"}}
    assert data[1]["body"]["owner_id"] == 4
    assert (data[2]["body"], data[2]["status"]) == ("plain words", 200)


async def test_an_entry_may_name_the_version_that_it_means(world: World) -> None:
    tag = (await world.ask("admin", "GET", "/api/tasks/1")).headers["etag"]
    data = await run(
        world,
        entry("GET", "/api/tasks/1", if_none_match=tag),
        entry("PATCH", "/api/tasks/1", {"note": "x"}, If_Match=tag),
    )
    assert [answer["status"] for answer in data] == [304, 200]
    await check(
        world,
        Case("admin", "POST", PATH, 412, [entry("DELETE", "/api/tasks/4"),
             entry("PATCH", "/api/tasks/1", {}, if_match=tag)], places={"/1": "precondition_failed"}),
    )  # fmt: skip
    assert await world.rows("tasks") == 4


async def test_an_empty_batch_is_answered_by_nothing(world: World) -> None:
    assert await run(world) == []


async def test_it_is_one_transaction_and_costs_no_more(world: World) -> None:
    entries = [entry("GET", f"/api/tasks/{number}") for number in (1, 2, 3, 4)]
    for _ in range(2):
        before = world.db.pool.round_trips
        await run(world, *entries)
    assert world.db.pool.round_trips - before == 2 + len(entries)


async def everything(world: World) -> Any:
    """All rows of all tables that a batch here could touch."""
    return [
        await world.db.fetch(f"SELECT * FROM {name} ORDER BY 1, 2")
        for name in ("people", "tasks", "labels", "task_labels")
    ]


GOOD = (
    entry("POST", "/api/people", {"name": "Eve"}),
    entry("POST", "/api/tasks", {"title": "a", "owner_id": ref("0.id")}),
    entry("PATCH", "/api/tasks/2", {"labels": {"create": [{"name": "new"}]}}),
    entry("DELETE", "/api/tasks/4"),
    entry("POST", "/api/by-hand/people", {"name": "Eve"}),
    entry("PATCH", "/api/tasks", {"all": True, "values": {"note": "all"}}),
    entry("POST", "/api/tasks/1/postpone", {"days": 1}),
)
BAD = (
    (entry("POST", "/api/labels", {"name": "garden"}), 409, "/body/name"),
    (entry("POST", "/api/labels", {"colour": 1}), 422, "/body/colour"),
    (entry("GET", "/api/tasks?limit=0"), 422, "/query/limit"),
    (entry("GET", "/api/tasks/99"), 404, ""),
    (entry("PUT", "/api/tasks/1"), 405, ""),
    (entry("POST", "/api/tasks/2/split"), 409, "/body"),
    (entry("PUT", "/api/by-hand/teapot"), 418, None),
)


@pytest.mark.parametrize("position", range(len(GOOD) + 1))
@pytest.mark.parametrize(("bad", "status", "place"), BAD, ids=lambda value: str(value)[:40])
async def test_a_batch_that_fails_at_any_position_leaves_nothing(
    world: World, position: int, bad: dict[str, Any], status: int, place: str | None
) -> None:
    before = await everything(world)
    entries = [*GOOD[:position], bad, *GOOD[position:]]
    answer = await world.ask("admin", "POST", PATH, entries)
    assert answer.status == status, answer.body
    if place is not None:
        assert f"/{position}{place}" in {one["pointer"] for one in answer.json()["errors"]}
    assert await everything(world) == before


@table(
    Case("admin", "POST", PATH, 422, {}, places={"": "type"}),
    Case("admin", "POST", PATH, 422, [1, {"method": "GET"}, {"path": "/api/tasks"}],
         places={"/0": "type", "/1/path": "required", "/2/method": "required"}),
    Case("admin", "POST", PATH, 422, [entry("HEAD", "/api/tasks")], places={"/0/method": "choice"}),
    Case("admin", "POST", PATH, 422, [{**entry("GET", "/api/tasks"), "query": {}}],
         places={"/0/query": "unknown"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks")] * (MOST_ENTRIES + 1),
         places={"": "length"}),
    *[
        Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks/1"), entry("GET", path)],
             places={"/1/path": "not_api"})
        for path in ("/me", "/signin", "api/tasks", "//api/tasks", "/apis/a", "http://a/api/tasks", "", "/")
    ],
    *[
        Case("admin", "POST", PATH, 422, [entry(method, path, [])], places={"/0/path": "not_in_batch"})
        for method, path in (("POST", "/api/batch"), ("POST", "/api/%62atch"), ("GET", "/api/tasks/export"),
                             ("GET", "/api/tasks/%65xport?format=csv"))
    ],
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks/%FF")], places={"/0/path": "format"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks?a=é")], places={"/0/path": "format"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks", None, authorization="Bearer bob")],
         places={"/0/headers/authorization": "unknown"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks", None, Idempotency_Key="a")],
         places={"/0/headers/Idempotency-Key": "unknown"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks", None, if_match="a\r\nb: c")],
         places={"/0/headers/if-match": "format"}),
    Case("admin", "POST", PATH, 422, [entry("POST", "/api/tasks", {"title": "a", "owner_id": ref("0.id")})],
         places={"/0/body/owner_id": "reference"}),
    Case("admin", "POST", PATH, 422, [entry("GET", "/api/tasks/1"), entry("GET", "/api/tasks/{0.colour}")],
         places={"/1/path": "reference"}),
    Case("admin", "POST", PATH, 422, [entry("POST", "/api/tasks?on=title", {"title": "a", "owner_id": 1})],
         places={"/0/query/on": "not_unique"}),
    Case("admin", "POST", PATH, 400, [entry("PATCH", "/api/tasks/1")], places={"/0": "malformed"}),
    Case("admin", "POST", PATH, 400, b"[{]"),
    Case("admin", "POST", PATH, 400, b""),
    Case("admin", "POST", PATH, 415, [], content_type="text/plain"),
    Case("admin", "POST", f"{PATH}?dry=1", 422, [], places={"/query": "unknown"}),
    Case("admin", "GET", PATH, 405, contains=("answers POST",)),
    Case("admin", "POST", f"{PATH}/", 404, []),
    Case("admin", "POST", f"{PATH}/1", 404, []),
    Case(None, "POST", PATH, 401, []),
    # each entry has the rights of who asks
    Case("bob", "POST", PATH, 404, [entry("GET", "/api/tasks/3"), entry("GET", "/api/tasks/1")],
         places={"/1": "not_found"}),
    Case("bob", "POST", PATH, 403, [entry("POST", "/api/people", {"name": "E"})], places={"/0": "denied"}),
    Case("eve", "POST", PATH, 403, [entry("GET", "/api/tasks?fields=hours")],
         places={"/0/query/fields/0": "denied"}),
    Case("admin", "POST", PATH, 403, [entry("GET", "/api/tasks?fields=token")]),
    Case("eve", "POST", PATH, 200, [entry("GET", "/api/tasks/1")], lacks=("owner_id", "hours")),
)  # fmt: skip
async def test_what_a_batch_answers(world: World, case: Case) -> None:
    before = await everything(world)
    await check(world, case)
    assert await everything(world) == before


async def test_a_body_that_is_nested_without_end_is_refused(world: World) -> None:
    deep = b'{"a":' * 700 + b'{"$ref":"0.id"}' + b"}" * 700
    body = (
        b'[{"method":"GET","path":"/api/tasks/1"},{"method":"POST","path":"/api/labels","body":'
        + deep
        + b"}]"
    )
    answer = await world.ask("admin", "POST", PATH, body)
    assert answer.status in (400, 422), answer.body


async def test_a_batch_that_takes_too_long_leaves_nothing(world: World) -> None:
    dispatcher = Dispatcher()
    dispatcher.mount(PREFIX, CrudTable(world.registry, dispatcher=dispatcher, batch_seconds=0.1))
    other = await world.db.connect()
    try:
        await other.execute("BEGIN; LOCK TABLE tasks")
        client = Client(
            msgspec.json.encode([entry("POST", "/api/people", {"name": "E"}), entry("GET", "/api/tasks")])
        )
        headers = [("authorization", "Bearer admin"), ("content-type", "application/json")]
        await Edge(dispatcher, env=world)(
            http_scope("POST", PATH, headers=headers), client.receive, client.send
        )
    finally:
        await other.close()
    assert client.answered().status == 504
    assert await world.rows("people") == 3
