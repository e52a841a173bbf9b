"""Whose rows and fields these are: rights, rules, hidden and private fields on every verb."""

import pytest

from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY_PATH = (
    ("GET", "/api/tasks"),
    ("GET", "/api/tasks/1"),
    ("HEAD", "/api/tasks/1"),
    ("POST", "/api/tasks"),
    ("POST", "/api/tasks/search"),
    ("POST", "/api/tasks/delete"),
    ("PATCH", "/api/tasks"),
    ("PATCH", "/api/tasks/1"),
    ("DELETE", "/api/tasks/1"),
    ("POST", "/api/tasks?on=owner_id,title"),
    ("POST", "/api/tasks/aggregate"),
    ("GET", "/api/tasks/fields"),
    ("GET", "/api/tasks/defaults"),
    ("GET", "/api/tasks/export"),
    ("HEAD", "/api/tasks/export"),
    ("POST", "/api/tasks/1/postpone"),
    ("POST", "/api/tasks/1/gist"),
    ("POST", "/api/tasks/1/drop"),
)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *EVERY_PATH,
        ("POST", "/api/batch"),
        ("GET", "/api/unknown"),
        ("PUT", "/api/tasks"),
        ("GET", "/api/vaults/1"),
        ("GET", "/api"),
    ],
)
@pytest.mark.parametrize("who", [None, "stranger"])
async def test_nothing_is_told_to_who_is_not_signed_in(
    world: World, who: str | None, method: str, path: str
) -> None:
    before = world.db.pool.round_trips
    answer = await world.ask(who, method, path, b"{not even read}")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert world.db.pool.round_trips == before


@pytest.mark.parametrize(("method", "path"), EVERY_PATH)
async def test_without_a_right_on_the_table_every_verb_is_denied(
    world: World, method: str, path: str
) -> None:
    body = {
        ("POST", "/api/tasks"): {"title": "a", "owner_id": 1},
        ("POST", "/api/tasks?on=owner_id,title"): {"title": "a", "owner_id": 1},
        ("POST", "/api/tasks/1/postpone"): {"days": 1},
        ("POST", "/api/tasks/delete"): {"all": True},
        ("PATCH", "/api/tasks"): {"all": True, "values": {"note": "x"}},
    }.get((method, path), {})
    before = world.db.pool.round_trips
    answer = await world.ask("new", method, path, body)
    assert answer.status == 403
    assert world.db.pool.round_trips == before
    if method in ("POST", "PATCH") and path.count("/") < 4:  # that comes before what else is wrong
        assert (await world.ask("new", method, path, {"colour": 1})).status == 403


@table(
    Case("bob", "GET", "/api/tasks", 200, contains=("reap", "rest"), lacks=("sow", "water")),
    Case("bob", "GET", "/api/tasks?count=exact", 200, contains=('"total":2',)),
    Case("bob", "GET", "/api/tasks?count=exact&offset=9", 200, contains=('"total":2',)),
    Case("bob", "GET", '/api/tasks?filter=[["title","=","sow"]]', 200, contains=('"data":[]',)),
    Case("bob", "GET", "/api/tasks/3", 200, contains=("reap",)),
    Case("bob", "GET", "/api/tasks/1", 404, lacks=("sow",)),
    Case("bob", "PATCH", "/api/tasks/1", 404, {"note": "x"}, lacks=("sow",)),
    Case("bob", "PATCH", "/api/tasks/1", 404, {}, lacks=("sow",)),
    Case("bob", "DELETE", "/api/tasks/1", 404),
    Case("bob", "PATCH", "/api/tasks", 200, {"filter": [["title", "=", "sow"]], "values": {"note": "x"}},
         contains=('{"count":0}',)),
    Case("bob", "POST", "/api/tasks/delete", 200, {"filter": [["title", "=", "sow"]]},
         contains=('{"count":0}',)),
    Case("bob", "POST", "/api/tasks", 403, {"title": "a", "owner_id": 1}),
    Case("bob", "POST", "/api/tasks", 403, [{"title": "a", "owner_id": 2}, {"title": "b", "owner_id": 1}]),
    Case("bob", "PATCH", "/api/tasks/3", 403, {"owner_id": 1}),
    Case("bob", "POST", "/api/people", 403, {"name": "Eve"}),
    Case("bob", "DELETE", "/api/people/1", 403),
)  # fmt: skip
async def test_a_rule_holds_on_every_verb(world: World, case: Case) -> None:
    before = await world.get("/api/tasks"), await world.get("/api/people")
    await check(world, case)
    assert (await world.get("/api/tasks"), await world.get("/api/people")) == before


async def test_who_may_write_by_a_rule_writes_his_own(world: World) -> None:
    assert (await world.ask("bob", "POST", "/api/tasks", {"title": "a", "owner_id": 2})).status == 201
    answer = await world.ask("bob", "POST", "/api/tasks", [{"title": t, "owner_id": 2} for t in "bcd"])
    assert [row["title"] for row in answer.json()["data"]] == ["b", "c", "d"]
    assert (await world.ask("bob", "PATCH", "/api/tasks/3", {"note": "x"})).json()["note"] == "x"
    changed = await world.ask("bob", "PATCH", "/api/tasks", {"all": True, "values": {"note": "mine"}})
    assert changed.json() == {"count": 6}
    assert (await world.ask("bob", "DELETE", "/api/tasks/4")).status == 204
    removed = await world.ask("bob", "POST", "/api/tasks/delete", {"all": True})
    assert removed.json() == {"count": 5}
    assert [row["title"] for row in (await world.get("/api/tasks"))["data"]] == ["sow", "water"]


@table(
    Case("eve", "GET", "/api/tasks/1", 200, contains=("sow",), lacks=("owner_id", "hours")),
    Case("eve", "GET", "/api/tasks", 200, contains=("sow",), lacks=("owner_id", "hours")),
    Case("eve", "GET", "/api/tasks/1?fields=title,hours", 403, places={"/query/fields/1": "denied"}),
    Case("eve", "GET", "/api/tasks?fields=owner_id", 403, places={"/query/fields/0": "denied"}),
    Case("eve", "GET", "/api/tasks?fields=title,parent_id.hours", 403, places={"/query/fields/1": "denied"}),
    Case("eve", "GET", "/api/tasks?order=title,-hours", 403, places={"/query/order/1": "denied"}),
    Case("eve", "GET", '/api/tasks?filter=[["hours",">","1"]]', 403, places={"/query/filter/0/0": "denied"}),
    Case("eve", "GET", '/api/tasks?filter=[["owner_id.name","=","Ada"]]', 403,
         places={"/query/filter/0/0": "denied"}),
    Case("eve", "POST", "/api/tasks/search", 403, {"fields": ["id", "hours"]},
         places={"/fields/1": "denied"}),
    Case("eve", "POST", "/api/tasks/search", 403, {"order": "hours"}, places={"/order": "denied"}),
    Case("eve", "POST", "/api/tasks/search", 403,
         {"filter": [["or", ["id", "=", 1], ["not", ["hours", "is null"]]]]},
         places={"/filter/0/2/1/0": "denied"}),
    Case("eve", "GET", "/api/people", 403),
    Case("eve", "GET", "/api/tasks?fields=parent_id.owner_id.name", 403),
    Case("bob", "GET", "/api/people/1", 200, contains=("Ada",), lacks=("salary", "90.5")),
    Case("bob", "GET", "/api/tasks/3?fields=owner_id.name", 200, contains=("Bob",)),
    Case("bob", "GET", "/api/tasks/3?fields=owner_id.salary", 403, places={"/query/fields/0": "denied"}),
    Case("bob", "GET", '/api/tasks?filter=[["owner_id.salary",">",1]]', 403,
         places={"/query/filter/0/0": "denied"}),
    Case("bob", "GET", "/api/people?order=-salary", 403, places={"/query/order/0": "denied"}),
    Case("bob", "POST", "/api/tasks", 403, {"title": "a", "owner_id": 2, "rank": 1},
         places={"/rank": "denied"}),
    Case("bob", "POST", "/api/tasks", 403,
         [{"title": "a", "owner_id": 2}, {"title": "b", "owner_id": 2, "rank": 1}],
         places={"/1/rank": "denied"}),
    Case("bob", "PATCH", "/api/tasks/3", 403, {"rank": 1}, places={"/rank": "denied"}),
)  # fmt: skip
async def test_a_hidden_field_is_absent_and_naming_it_is_denied(world: World, case: Case) -> None:
    await check(world, case)


@table(
    Case("admin", "GET", "/api/tasks?fields=token", 403, places={"/query/fields/0": "denied"}),
    Case("admin", "GET", "/api/tasks/1?fields=token", 403, places={"/query/fields/0": "denied"}),
    Case("admin", "GET", "/api/tasks/1?fields=owner_id.password_hash", 403,
         places={"/query/fields/0": "denied"}),
    Case("admin", "GET", "/api/tasks?fields=parent_id.token", 403, places={"/query/fields/0": "denied"}),
    Case("admin", "GET", "/api/tasks?order=token", 403, places={"/query/order/0": "denied"}),
    Case("admin", "GET", '/api/tasks?filter=[["token","is null"]]', 403,
         places={"/query/filter/0/0": "denied"}),
    Case("admin", "POST", "/api/tasks/search", 403,
         {"filter": [["parent_id.owner_id.password_hash", "like", "a%"]]},
         places={"/filter/0/0": "denied"}),
    Case("admin", "GET", "/api/people?fields=tasks.token", 403, places={"/query/fields/0": "denied"}),
    Case("admin", "POST", "/api/people/search", 403, {"nested": {"tasks": {"fields": ["token"]}}},
         places={"/nested/tasks/fields/0": "denied"}),
    Case("admin", "POST", "/api/people/search", 403,
         {"nested": {"tasks": {"filter": [["token", "is null"]]}}},
         places={"/nested/tasks/filter/0/0": "denied"}),
    Case("admin", "POST", "/api/people/search", 403, {"nested": {"tasks": {"order": "token"}}},
         places={"/nested/tasks/order": "denied"}),
    Case("admin", "POST", "/api/people/search", 403, {"filter": [["tasks.token", "like", "a%"]]},
         places={"/filter/0/0": "denied"}),
    Case("admin", "POST", "/api/tasks", 422, {"title": "a", "owner_id": 1, "token": "x"},
         places={"/token": "readonly"}),
    Case("admin", "PATCH", "/api/tasks/1", 422, {"token": None}, places={"/token": "readonly"}),
    Case("admin", "PATCH", "/api/tasks", 422, {"all": True, "values": {"token": None}},
         places={"/values/token": "readonly"}),
)  # fmt: skip
async def test_a_private_field_is_out_of_bounds_for_an_administrator_too(world: World, case: Case) -> None:
    before = world.db.pool.round_trips
    await check(world, case)
    assert world.db.pool.round_trips == before


async def test_who_may_write_and_not_read_is_told_ids_and_changes_nothing_that_he_cannot_see(
    world: World,
) -> None:
    answer = await world.ask("mute", "POST", "/api/tasks", {"title": "a", "owner_id": 1})
    assert (answer.status, answer.json()) == (201, {"id": 5})
    answer = await world.ask("mute", "POST", "/api/tasks", [{"title": "b", "owner_id": 1}])
    assert (answer.status, answer.json()) == (201, {"data": [{"id": 6}]})
    assert (await world.ask("mute", "PATCH", "/api/tasks/1", {"note": "x"})).status == 403
    assert (await world.ask("mute", "DELETE", "/api/tasks/1")).status == 403
    assert (await world.ask("mute", "POST", "/api/tasks/delete", {"all": True})).status == 403
    assert await world.rows("tasks") == 6


async def test_a_row_that_may_be_written_and_not_seen_is_as_if_absent(world: World) -> None:
    before = await world.get("/api/tasks")
    for method, path, body in (
        ("PATCH", "/api/tasks/1", {"note": "x"}),
        ("DELETE", "/api/tasks/4", {}),
    ):
        assert (await world.ask("cyd", method, path, body)).status == 404
    assert (await world.ask("cyd", "PATCH", "/api/tasks", {"all": True, "values": {"note": "x"}})).json() == {
        "count": 0
    }
    assert (await world.ask("cyd", "POST", "/api/tasks/delete", {"all": True})).json() == {"count": 0}
    assert await world.get("/api/tasks") == before
