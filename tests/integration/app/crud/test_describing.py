"""GET /api/{route}/fields and /defaults: what a form can be built from, and nothing that the asker may not
know."""

from typing import Any

import pytest

from app.crud.describing import label_of
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def fields(world: World, route: str, who: str = "admin") -> dict[str, Any]:
    """The descriptions of fields, by name."""
    return {field["name"]: field for field in (await world.get(f"/api/{route}/fields", who=who))["data"]}


async def test_a_model_is_described_with_all_that_a_form_needs(world: World) -> None:
    found = await world.get("/api/tasks/fields")
    data = {field.pop("name"): field for field in found.pop("data")}
    assert found == {
        "route": "tasks",
        "label": "Task",
        "can": {"create": True, "read": True, "update": True, "delete": True},
        "if_match": "optional",
        "unique": [["owner_id", "title"]],
        "actions": ["babble", "drop", "gist", "postpone", "split"],
    }
    assert data["title"] == {
        "type": "char",
        "label": "Title",
        "description": "",
        "required": True,
        "nullable": False,
        "readonly": False,
        "unique": False,
        "has_default": False,
        "can": {"read": True, "create": True, "update": True},
        "min_length": 1,
        "max_length": 20,
    }
    assert {name: data["hours"][name] for name in ("type", "precision", "scale", "min", "nullable")} == {
        "type": "decimal",
        "precision": 6,
        "scale": 2,
        "min": "0",
        "nullable": True,
    }
    assert {name: data["rank"][name] for name in ("default", "has_default", "min", "max")} == {
        "default": 0,
        "has_default": True,
        "min": -1000,
        "max": 1000,
    }
    assert "default" not in data["created_at"]
    assert (data["created_at"]["has_default"], data["created_at"]["readonly"]) == (True, True)
    assert data["created_at"]["can"] == {"read": True, "create": False, "update": False}
    assert data["owner_id"]["relation"] == {"route": "people", "is_many": False}
    assert data["labels"]["relation"] == {
        "route": "labels",
        "is_many": True,
        "commands": ["set", "unlink", "link", "create", "update", "delete"],
    }
    assert data["children"]["relation"]["inverse"] == "parent_id"
    assert data["notes"]["relation"] == {
        "route": "journal",
        "is_many": True,
        "inverse": "task_id",
        "commands": [],
    }
    assert data["notes"]["can"] == {"read": True, "create": False, "update": False}
    assert "token" not in data


async def test_what_is_told_depends_on_who_asks(world: World) -> None:
    eve = await world.get("/api/tasks/fields", who="eve")
    assert eve["can"] == {"create": False, "read": True, "update": False, "delete": False}
    assert eve["actions"] == ["babble", "gist"]
    assert eve["unique"] == []  # she does not know of owners
    described = await fields(world, "tasks", "eve")
    assert described.keys().isdisjoint({"owner_id", "hours", "token", "labels"})
    assert described["title"]["can"] == {"read": True, "create": False, "update": False}
    bob = await fields(world, "tasks", "bob")
    assert bob["rank"]["can"] == {"read": True, "create": False, "update": False}
    assert bob["title"]["can"] == {"read": True, "create": True, "update": True}
    assert bob["children"]["relation"]["commands"] == ["set", "unlink", "link", "create", "update", "delete"]
    assert "labels" not in bob  # he may not read them, and so not link them
    people = await fields(world, "people", "bob")
    assert people.keys() == {"id", "name", "email", "tasks"}
    mute = await world.get("/api/tasks/fields", who="mute")
    assert mute["can"] == {"create": True, "read": False, "update": True, "delete": True}
    assert {field["can"]["read"] for field in mute["data"]} == {False}


async def test_a_model_that_is_only_read_here_says_so(world: World) -> None:
    found = await world.get("/api/journal/fields")
    assert found["can"] == {"create": False, "read": True, "update": False, "delete": False}
    assert not any(field["can"]["create"] or field["can"]["update"] for field in found["data"])
    assert (await world.get("/api/accounts/fields"))["if_match"] == "required"


async def test_defaults_are_those_that_a_client_may_set(world: World) -> None:
    assert await world.get("/api/tasks/defaults") == {"rank": 0, "done": False}
    assert await world.get("/api/tasks/defaults", who="bob") == {"done": False}
    assert await world.get("/api/accounts/defaults") == {"balance": "0"}
    assert await world.get("/api/people/defaults") == {}


@table(
    Case("new", "GET", "/api/tasks/fields", 403),
    Case("eve", "GET", "/api/people/fields", 403),
    Case("eve", "GET", "/api/tasks/defaults", 403),
    Case("admin", "GET", "/api/tasks/fields?fields=id", 422, places={"/query": "unknown"}),
    Case("admin", "GET", "/api/tasks/defaults?a=1", 422, places={"/query": "unknown"}),
    Case("admin", "POST", "/api/tasks/fields", 405, {}),
    Case("admin", "POST", "/api/tasks/defaults", 405, {}),
    Case("admin", "GET", "/api/vaults/fields", 404),
    Case("admin", "GET", "/api/people/fields", 200, lacks=("password_hash",)),
    Case("admin", "HEAD", "/api/people/fields", 200),
)
async def test_what_the_paths_answer(world: World, case: Case) -> None:
    before = world.db.pool.round_trips
    await check(world, case)
    assert world.db.pool.round_trips == before


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("title", "Title"),
        ("owner_id", "Owner"),
        ("category_ids", "Category"),
        ("id", "Id"),
        ("created_at", "Created at"),
        ("PartnerCategory", "Partner category"),
        ("_x", "X"),
    ],
)
async def test_a_label_is_the_words_of_a_name(name: str, label: str) -> None:
    assert label_of(name) == label
