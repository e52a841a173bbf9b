"""POST /api/{route}/{id}/{action}: a model's own verbs."""

import datetime as dt

import pytest

from app.crud.actions import action, actions_of
from app.http.bodies import Body
from orm import DeclarationError, DotModel, system
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import Task, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_action_runs_on_its_row_and_its_answer_is_json(world: World) -> None:
    answer = await world.ask("admin", "POST", "/api/tasks/1/postpone", {"days": 2})
    assert (answer.status, answer.json()["due_at"]) == (200, "2026-03-03T08:00:00Z")
    assert (await world.get("/api/tasks/1"))["due_at"] == "2026-03-03T08:00:00Z"
    assert (await world.ask("eve", "POST", "/api/tasks/1/gist")).json() == {"gist": "sow"}
    halved = await world.ask("admin", "POST", "/api/tasks/1/split")
    assert (halved.status, halved.json(), halved.headers["x-halves"]) == (201, {"halves": 2}, "2")
    dropped = await world.ask("admin", "POST", "/api/tasks/4/drop")
    assert (dropped.status, dropped.body) == (204, b"")
    assert await world.rows("tasks") == 3


async def test_what_an_action_raises_takes_everything_back(world: World) -> None:
    before = await world.get("/api/tasks/2")
    await check(world, Case("admin", "POST", "/api/tasks/2/split", 409, places={"": "state"}))
    assert await world.get("/api/tasks/2") == before


async def test_an_answer_that_is_no_json_takes_everything_back(world: World) -> None:
    await check(world, Case("admin", "POST", "/api/tasks/2/babble", 500))
    assert await world.rows("labels") == 3


async def test_an_action_may_name_the_version_that_it_means(world: World) -> None:
    tag = (await world.ask("admin", "GET", "/api/tasks/1")).headers["etag"]
    path, body = "/api/tasks/1/postpone", {"days": 1}
    assert (await world.ask("admin", "POST", path, body, if_match=tag)).status == 200
    assert (await world.ask("admin", "POST", path, body, if_match=tag)).status == 412
    assert (await world.ask("admin", "POST", path, body, if_match="garbage")).status == 400


@table(
    Case("bob", "POST", "/api/tasks/1/postpone", 404, {"days": 1}, lacks=("sow",)),
    Case("bob", "POST", "/api/tasks/1/gist", 404, lacks=("sow",)),
    Case("bob", "POST", "/api/tasks/3/postpone", 200, {"days": 1}),
    Case("cyd", "POST", "/api/tasks/1/postpone", 404, {"days": 1}),
    Case("eve", "POST", "/api/tasks/1/postpone", 403, {"days": 1}),
    Case("eve", "POST", "/api/tasks/1/drop", 403),
    Case("mute", "POST", "/api/tasks/1/gist", 403),
    Case("mute", "POST", "/api/tasks/1/postpone", 403, {"days": 1}),
    Case("new", "POST", "/api/tasks/1/gist", 403),
    Case(None, "POST", "/api/tasks/1/gist", 401),
    Case("admin", "POST", "/api/tasks/99/gist", 404),
    Case("admin", "POST", "/api/tasks/1/postpone", 422, {"days": 0, "why": 1},
         places={"/days": "range", "/why": "unknown"}),
    Case("admin", "POST", "/api/tasks/1/postpone", 400, b"{"),
    Case("admin", "POST", "/api/tasks/1/postpone", 400),
    Case("admin", "POST", "/api/tasks/1/postpone", 415, {"days": 1}, content_type="text/plain"),
    Case("admin", "POST", "/api/tasks/1/postpone?days=1", 422, {"days": 1}, places={"/query": "unknown"}),
    Case("admin", "GET", "/api/tasks/1/gist", 405, contains=("answers POST",)),
    Case("admin", "POST", "/api/tasks/1/update", 404, {}),
    Case("admin", "POST", "/api/tasks/1/delete", 404, {}),
    Case("admin", "POST", "/api/tasks/1/__init__", 404, {}),
    Case("admin", "POST", "/api/tasks/1/gist/", 404),
    Case("admin", "POST", "/api/tasks/one/gist", 404),
    Case("admin", "POST", "/api/people/1/gist", 404),
)  # fmt: skip
async def test_what_a_path_answers(world: World, case: Case) -> None:
    await check(world, case)


async def test_an_action_is_an_ordinary_method_to_the_program(world: World) -> None:
    with system():
        task = await Task.get(1)
    assert await task.gist() == {"gist": "sow"}
    assert task.due_at is not None
    assert task.due_at < dt.datetime.now(dt.UTC)


async def test_actions_are_told_by_name_with_what_their_docstrings_say() -> None:
    found = {one.name: one for one in actions_of(Task)}
    assert list(found) == ["babble", "drop", "gist", "postpone", "split"]
    postpone = found["postpone"]
    assert (postpone.summary, postpone.description) == (
        "Do it some days later.",
        "A task without a day gets one.",
    )
    assert (postpone.needs, postpone.status, found["split"].status) == ("update", 200, 201)
    assert found["gist"].returns == dict[str, str]


async def test_an_action_that_cannot_be_called_is_refused_where_it_is_declared() -> None:
    class Something(Body):
        """A body."""

    with pytest.raises(DeclarationError, match=r"Odd\.late must be an async method"):

        class Odd(DotModel):
            @action()  # type: ignore[type-var]
            def late(self) -> None: ...

    with pytest.raises(DeclarationError, match="must take the record only: no body= is declared"):

        class Other(DotModel):
            @action()
            async def take(self, body: Something) -> None: ...

    with pytest.raises(DeclarationError, match="must take the record and the body"):

        class Third(DotModel):
            @action(body=Something)
            async def give(self) -> None: ...

    with pytest.raises(DeclarationError, match='needs=\'create\'; it is "read", "update" or "delete"'):

        class Fourth(DotModel):
            @action(needs="create")  # type: ignore[arg-type]
            async def make(self) -> None: ...
