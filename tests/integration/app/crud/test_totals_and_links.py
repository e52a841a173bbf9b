"""How many rows there are, and the links to the pages around one: by query and by body."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.crud.counting import CHEAP_ROWS
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 30_000

FILL = f"""
INSERT INTO tasks (title, owner_id, created_at)
    SELECT 't' || n, 1 + n % 2, now() FROM generate_series(1, {MANY}) n;
ANALYZE tasks;
"""


@pytest.mark.parametrize("count", ["exact", "estimated"])
async def test_a_total_that_the_first_page_holds_is_exact_and_costs_nothing(world: World, count: str) -> None:
    for query in ("", "&limit=4", "&offset=3", "&offset=4&limit=1"):
        for _ in range(2):  # it prepares a statement, and for few rows another one
            await world.get(f"/api/tasks?count={count}{query}")
        before = world.db.pool.round_trips
        found = await world.get(f"/api/tasks?count={count}{query}")
        assert (found["total"], found["next"]) == (4, None)
        # Behind the last row there is none that could say how many there are.
        assert world.db.pool.round_trips - before == 1 or "offset=4" in query


async def test_an_estimate_is_exact_where_that_is_cheap(world: World) -> None:
    for query in ("limit=1", "limit=1&filter=" + quote('[["done","=",false]]'), "offset=9"):
        exact = await world.get(f"/api/tasks?count=exact&{query}")
        assert await world.get(f"/api/tasks?count=estimated&{query}") == exact


async def test_an_estimate_of_many_rows_is_near_and_costs_one_more_round_trip(world: World) -> None:
    await world.db.execute(FILL)
    for filter_, expected in (("[]", MANY + 4), ('[["owner_id","=",1]]', MANY / 2 + 2)):
        path = f"/api/tasks?limit=1&count=estimated&filter={quote(filter_)}"
        await world.get(path)
        before = world.db.pool.round_trips
        total = (await world.get(path))["total"]
        assert world.db.pool.round_trips - before == 2
        assert total > CHEAP_ROWS
        assert abs(total - expected) < expected / 5


async def test_who_does_not_see_every_row_is_told_the_exact_number_of_those_that_he_sees(
    world: World,
) -> None:
    await world.db.execute(FILL)
    page = await world.get("/api/tasks?limit=1&count=estimated", who="bob")
    assert page["total"] == MANY // 2 + 2
    # A common value that stands in rows of others only: the planner would expect thousands of them.
    await world.db.execute("UPDATE tasks SET note = 'secret' WHERE owner_id = 1; ANALYZE tasks")
    for body in (
        {"filter": [["note", "=", "secret"]]},
        {"filter": [["not", ["note", "!=", "secret"]]]},
        {"filter": [["or", ["note", "=", "secret"], ["children.note", "=", "secret"]]]},
    ):
        answer = await world.ask(
            "bob", "POST", "/api/tasks/search", body | {"count": "estimated", "offset": 1}
        )
        assert answer.json()["total"] == 0


async def test_a_rule_on_a_model_that_the_filter_looks_at_makes_the_total_exact(world: World) -> None:
    await world.db.execute("UPDATE tasks SET note = 'secret' WHERE owner_id = 1")
    body = {"filter": [["tasks.note", "=", "secret"]], "count": "estimated", "offset": 1}
    for _ in range(2):
        before = world.db.pool.round_trips
        assert (await world.ask("bob", "POST", "/api/people/search", body)).json()["total"] == 0
    assert world.db.pool.round_trips - before == 2  # the page and the count, no EXPLAIN


@table(
    Case("eve", "GET", '/api/tasks?count=estimated&filter=[["hours",">","1"]]', 403,
         places={"/query/filter/0/0": "denied"}),
    Case("admin", "GET", '/api/tasks?count=estimated&filter=[["token","is null"]]', 403,
         places={"/query/filter/0/0": "denied"}),
    Case("admin", "GET", '/api/tasks?count=estimated&filter=[["colour","=",1]]', 422,
         places={"/query/filter/0/0": "unknown_field"}),
    Case("admin", "POST", "/api/tasks/search", 422, {"count": "guess"}, places={"/count": "choice"}),
    Case("new", "GET", "/api/tasks?count=estimated", 403),
    Case("admin", "POST", "/api/people/search", 422, {"nested": {"tasks": {"limit": 501}}},
         places={"/nested/tasks/limit": "range"}),
    Case("admin", "POST", "/api/people/search", 422, {"limit": 500, "fields": ["tasks.labels.tasks"]},
         places={"/nested/tasks/nested/labels/limit": "too_many"}),
    Case("admin", "GET", "/api/people?limit=500&fields=tasks.labels.tasks", 422,
         places={"/query/nested/tasks/nested/labels/limit": "too_many"}),
)  # fmt: skip
async def test_a_question_that_cannot_be_is_refused_without_a_query(world: World, case: Case) -> None:
    before = world.db.pool.round_trips
    await check(world, case)
    assert world.db.pool.round_trips == before


def followed(header: str) -> dict[str, str]:
    """The targets of a Link header, by relation."""
    found = {}
    for link in header.split(", <"):
        target, _, relation = link.removeprefix("<").partition('>; rel="')
        found[relation.removesuffix('"')] = target
    return found


@pytest.mark.parametrize("root", ["", "/üb er"])
async def test_links_lead_to_every_page_and_back_to_the_first(world: World, root: str) -> None:
    query = "limit=1&order=-rank&fields=title&filter=" + quote('[["rank",">",1]]')
    answer = await world.ask("admin", "GET", f"/api/tasks?{query}", root=root)
    first, titles = answer.json(), [answer.json()["data"][0]["title"]]
    while "next" in (targets := followed(answer.headers["link"])):
        path = targets["next"].removeprefix(quote(root))
        answer = await world.ask("admin", "GET", path, root=root)
        titles.append(answer.json()["data"][0]["title"])
    assert titles == ["rest", "sow", "reap"]
    again = await world.ask("admin", "GET", targets["first"].removeprefix(quote(root)), root=root)
    assert again.json() == first


async def test_a_search_by_body_has_the_same_links_unless_a_query_cannot_say_it(world: World) -> None:
    get = await world.ask("admin", "GET", "/api/tasks?order=-rank&limit=2")
    body: dict[str, Any] = {"limit": 2, "order": "-rank"}
    post = await world.ask("admin", "POST", "/api/tasks/search", body)
    assert {name: post.headers[name] for name in ("link", "content-type")} == {
        name: get.headers[name] for name in ("link", "content-type")
    }
    for beyond in ({"nested": {"labels": {"limit": 1}}}, {"filter": [["title", "in", ["x" * 9] * 900]]}):
        answer = await world.ask("admin", "POST", "/api/tasks/search", body | beyond)
        assert answer.status == 200
        assert "link" not in answer.headers


conditions = st.one_of(
    st.tuples(st.just("rank"), st.sampled_from(["=", ">", "<="]), st.integers(0, 6)),
    st.tuples(
        st.just("title"), st.sampled_from(["ilike", "not like"]), st.sampled_from(["%e%", "s_w", "&+%"])
    ),
    st.tuples(st.just("owner_id.name"), st.just("in"), st.lists(st.sampled_from(["Ada", "Bob"]), max_size=2)),
    st.tuples(st.just("note"), st.sampled_from(["is null", "is not null"])),
    st.tuples(st.just("labels"), st.just("in"), st.lists(st.integers(1, 4), max_size=2)),
)
names = st.sampled_from(
    ["id", "title", "hours", "owner_id.name", "parent_id.owner_id", "labels", "children.title"]
)
searches = st.fixed_dictionaries(
    {},
    optional={
        "filter": st.lists(conditions, max_size=3),
        "fields": st.lists(names, min_size=1, max_size=4),
        "order": st.lists(st.sampled_from(["title", "-rank", "hours", "-id"]), min_size=1, max_size=3),
        "limit": st.integers(1, 5),
        "offset": st.integers(0, 5),
        "count": st.sampled_from(["none", "exact", "estimated"]),
    },
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(search=searches, who=st.sampled_from(["admin", "bob", "eve", "new"]))
async def test_a_query_and_a_body_are_answered_alike(
    module_world: World, search: dict[str, Any], who: str
) -> None:
    parameters = {
        name: msgspec.json.encode(value).decode()
        if name == "filter"
        else ",".join(value)
        if isinstance(value, list)
        else str(value)
        for name, value in search.items()
    }
    query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
    get = await module_world.ask(who, "GET", f"/api/tasks?{query}")
    post = await module_world.ask(who, "POST", "/api/tasks/search", search)
    assert get.status == post.status
    if get.status == 200:
        assert get.body == post.body
        assert len(followed(get.headers["link"])) == len(followed(post.headers["link"]))
    else:
        assert [place["pointer"] for place in get.json()["errors"]] == [
            "/query" + place["pointer"] for place in post.json()["errors"]
        ]
