"""ETag, If-None-Match, If-Match: who knows the row already, and who changed it in between."""

import asyncio
from typing import Any

import pytest

from app.crud.etags import MOST_VERSIONS
from tests.integration.app.crud.cases import Case, check, table
from tests.integration.app.crud.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN = '"1-0123456789abcdef"'
GARBAGE = ("", "731", '"a', "W/", '"a" "b"', "*, *")


async def tag_of(world: World, path: str, who: str = "admin") -> str:
    """The ETag of a row."""
    return (await world.ask(who, "GET", path)).headers["etag"]


async def test_a_row_that_is_known_is_not_sent_again(world: World) -> None:
    for path in (
        "/api/tasks/1",
        "/api/tasks/1?fields=title,owner_id.name",
        "/api/people/1?fields=tasks.title",
    ):
        tag = await tag_of(world, path)
        for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            for method in ("GET", "HEAD"):
                known = await world.ask("admin", method, path, if_none_match=header)
                assert (known.status, known.body, known.headers["etag"]) == (304, b"", tag)
        for header in (FOREIGN, *GARBAGE):
            assert (await world.ask("admin", "GET", path, if_none_match=header)).status == 200
    assert (await world.ask("admin", "GET", "/api/tasks/99", if_none_match="*")).status == 404


async def test_a_tag_changes_with_what_is_seen(world: World) -> None:
    path = "/api/people/1?fields=tasks.title"
    before = await tag_of(world, path)
    await world.ask("admin", "PATCH", "/api/tasks/1", {"title": "sew"})
    after = await tag_of(world, path)
    assert before != after
    assert before.partition("-")[0] == after.partition("-")[0]  # the person's own row is the same
    assert await tag_of(world, "/api/tasks/1", "admin") != await tag_of(world, "/api/tasks/1", "eve")
    assert await tag_of(world, "/api/tasks/1") != await tag_of(world, "/api/tasks/1?fields=title")


async def test_every_write_answers_the_tag_that_a_reading_has_then(world: World) -> None:
    made = await world.ask(
        "admin", "POST", "/api/tasks", {"title": "mow", "owner_id": 1, "details": {"b": 1}}
    )
    assert made.headers["etag"] == await tag_of(world, "/api/tasks/5")
    changed = await world.ask("admin", "PATCH", "/api/tasks/5", {"hours": "1.5"})
    assert changed.headers["etag"] == await tag_of(world, "/api/tasks/5") != made.headers["etag"]
    await world.db.execute("UPDATE tasks SET note = 'psql' WHERE id = 5")
    assert await tag_of(world, "/api/tasks/5") != changed.headers["etag"]


async def test_a_write_goes_through_on_the_version_that_it_names(world: World) -> None:
    stale = await tag_of(world, "/api/tasks/1")
    seen_otherwise = await tag_of(world, "/api/tasks/1?fields=title")
    changed = await world.ask("admin", "PATCH", "/api/tasks/1", {"note": "a"}, if_match=seen_otherwise)
    assert changed.status == 200
    for header in (stale, f"W/{changed.headers['etag']}", FOREIGN, '"x"', f"{stale}, {FOREIGN}"):
        for method, body in (("PATCH", {"note": "b"}), ("DELETE", None)):
            refused = await world.ask("admin", method, "/api/tasks/1", body, if_match=header)
            assert (refused.status, refused.json()["type"]) == (412, "urn:starling:precondition_failed")
    assert (await world.get("/api/tasks/1"))["note"] == "a"
    for header in (f"{stale}, {FOREIGN}, {changed.headers['etag']}", "*"):
        answer = await world.ask("admin", "PATCH", "/api/tasks/1", {"note": "c"}, if_match=header)
        assert answer.status == 200
    gone = await world.ask("admin", "DELETE", "/api/tasks/4", if_match=await tag_of(world, "/api/tasks/4"))
    assert gone.status == 204


@table(
    *[
        Case("admin", method, "/api/accounts/1", 428, body)
        for method, body in (("PATCH", {"balance": "0"}), ("DELETE", {}))
    ],
    Case("admin", "PATCH", "/api/accounts", 428, {"all": True, "values": {"balance": "0"}}),
    Case("admin", "POST", "/api/accounts/delete", 428, {"all": True}),
)
async def test_a_model_may_want_to_be_told_the_version(world: World, case: Case) -> None:
    await check(world, case)
    assert await world.get("/api/accounts/1") == {"id": 1, "name": "cash", "balance": "10.00", "person_id": 1}


async def test_such_a_model_is_written_by_who_tells_it(world: World) -> None:
    any_version = await world.ask("admin", "PATCH", "/api/accounts/1", {"balance": "0"}, if_match="*")
    assert (any_version.status, any_version.json()["type"]) == (428, "urn:starling:precondition_required")
    tag = await tag_of(world, "/api/accounts/1")
    changed = await world.ask("admin", "PATCH", "/api/accounts/1", {"balance": "0"}, if_match=tag)
    assert (changed.status, changed.json()["balance"]) == (200, "0.00")
    gone = await world.ask("admin", "DELETE", "/api/accounts/1", if_match=changed.headers["etag"])
    assert gone.status == 204
    assert (await world.ask("admin", "POST", "/api/accounts", {"name": "new"})).status == 201


async def test_what_is_no_list_of_tags_guards_nothing_and_is_refused(world: World) -> None:
    before = world.db.pool.round_trips
    many = ", ".join(f'"{number}-0123456789abcdef"' for number in range(MOST_VERSIONS + 1))
    for header in (*GARBAGE, many):
        for method in ("PATCH", "DELETE"):
            answer = await world.ask("admin", method, "/api/tasks/1", {}, if_match=header)
            assert answer.status == 400, header
    assert world.db.pool.round_trips == before


async def test_a_row_that_is_absent_or_hidden_is_not_found_whatever_the_version(world: World) -> None:
    for path in ("/api/tasks/1", "/api/tasks/99"):
        for method in ("PATCH", "DELETE"):
            assert (await world.ask("bob", method, path, {"note": "x"}, if_match=FOREIGN)).status == 404


async def test_reading_and_writing_with_versions_cost_one_round_trip(world: World) -> None:
    for who in ("admin", "bob"):
        for _ in range(2):  # the first time statements are prepared
            spent = []
            tag = await tag_of(world, "/api/tasks/3", who)
            requests: list[tuple[str, str, Any, str]] = [
                ("GET", "/api/tasks/3", {}, "-"),
                ("PATCH", "/api/tasks/3", {"note": "x"}, tag),
                ("POST", "/api/tasks", {"title": "mow", "owner_id": 2}, "-"),
            ]
            for method, path, body, if_match in requests:
                before = world.db.pool.round_trips
                answer = await world.ask(who, method, path, body, if_match=if_match)
                spent.append(world.db.pool.round_trips - before)
                assert answer.status < 300
            path = answer.headers["location"]
            before = world.db.pool.round_trips
            gone = await world.ask(who, "DELETE", path, if_match=answer.headers["etag"])
            assert gone.status == 204
            spent.append(world.db.pool.round_trips - before)
        assert spent == [1, 1, 1, 1]


async def test_of_two_editors_of_one_version_one_wins(world: World) -> None:
    async def edit(tag: str, note: str) -> tuple[int, str]:
        answer = await world.ask("admin", "PATCH", "/api/tasks/1", {"note": note}, if_match=tag)
        return answer.status, note

    tag = await tag_of(world, "/api/tasks/1")
    for number in range(2000):
        outcomes = await asyncio.gather(edit(tag, f"a{number}"), edit(tag, f"b{number}"))
        assert sorted(status for status, _ in outcomes) == [200, 412]
        answer = await world.ask("admin", "GET", "/api/tasks/1")
        assert answer.json()["note"] == dict(outcomes)[200]
        tag = answer.headers["etag"]
