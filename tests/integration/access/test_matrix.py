"""The access matrix: every model of the API, every kind of asker, every operation, on every path.

What should happen is asked of the database in plain SQL (oracle.py), past the ORM and the policy. Rows are
full of canaries: whatever the answer, none may show what its asker may not see. A path that is missing is one
more function in one of the files *_paths.py."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from app.testing.socket import Socket
from tests.integration.access import oracle
from tests.integration.access.building import Asker, Building, open_building
from tests.integration.access.look import Path, every_look
from tests.integration.access.reading_paths import READING
from tests.integration.access.related_reading_paths import READING_RELATED
from tests.integration.access.relation_paths import RELATED
from tests.integration.access.side_paths import SIDEWAYS
from tests.integration.access.writing_paths import WRITING
from tests.support.databases import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = (*READING, *READING_RELATED, *WRITING, *RELATED, *SIDEWAYS)
SHOWN = 25


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def building(server_url: str) -> AsyncIterator[Building]:
    async with fresh_database(server_url) as url, open_building(url) as building:
        yield building


async def test_the_oracle_knows_every_table_of_the_api(building: Building) -> None:
    assert {meta.table for meta in building.models} == oracle.KNOWN
    private = {(meta.table, name) for meta in building.models for name in meta.private}
    assert private == oracle.PRIVATE
    kept = {
        (meta.table, name)
        for meta in building.models
        for name, field in meta.fields.items()
        if field.role_read and not field.private
    }
    assert kept == set(oracle.KEPT_FOR)


async def test_rows_are_seen_and_unseen_by_somebody(building: Building) -> None:
    """Else the matrix would prove nothing."""
    for table in ("folders", "papers", "paper_lines", "tags", "users", "chats"):
        told = set()
        for look in [look for look in await every_look(building) if look.table == table]:
            told.add(look.seen is not None and 0 < len(look.seen) < len(look.ids))
        assert True in told, table


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__.strip("_"))
async def test_no_path_gives_more_or_less_than_the_rights(building: Building, path: Path) -> None:
    building.problems.clear()
    for look in await every_look(building):
        await path(look)
    found = building.problems
    assert not found, f"{len(found)} answers differ:\n" + "\n".join(found[:SHOWN])


async def test_nobody_gets_anything_without_signing_in(building: Building) -> None:
    client = await building.starling.client()
    for meta in building.models:
        path = f"/api/{meta.route}"
        row = f"{path}/{next(iter(building.rows[meta.table]), 1)}"
        asked = [
            ("GET", path, None),
            ("GET", row, None),
            ("GET", f"{row}/access", None),
            ("GET", f"{path}/export?format=csv", None),
            ("GET", f"{path}/fields", None),
            ("POST", f"{path}/search", {}),
            ("POST", f"{path}/aggregate", {}),
            ("POST", f"{path}/delete", {"all": True}),
            ("POST", path, {}),
            ("PATCH", path, {"all": True, "values": {}}),
            ("PATCH", row, {}),
            ("DELETE", row, None),
            ("POST", "/api/batch", [{"method": "GET", "path": row}]),
        ]
        for method, at, body in asked:
            answer = await client.request(method, at, json=body)
            assert answer.status_code == 401, f"{method} {at}: {answer.status_code} {answer.text}"
            assert "canary" not in answer.text


async def test_live_events_reach_members_and_nobody_else(building: Building) -> None:
    chats = building.rows["chats"]
    members = {
        chat: {row["user_id"] for row in building.rows["chat_members"].values() if row["chat_id"] == chat}
        for chat in chats
    }
    async with AsyncExitStack() as stack:
        sockets: list[tuple[Asker, int, Socket]] = []
        for asker in building.askers.values():
            if asker.name == "key":
                continue
            for chat in chats:
                socket = await stack.enter_async_context(asker.client.socket())
                told = await socket.ask({"type": "subscribe", "chat_id": chat, "ref": "one"})
                expected = "subscribed" if asker.id in members[chat] else "error"
                assert told["type"] == expected, (asker.name, chat, told)
                if expected == "error":
                    assert told["problem"]["type"] == "urn:starling:not_found"
                sockets.append((asker, chat, socket))
        for chat in chats:
            author = next(one for one in building.askers.values() if one.id in members[chat])
            answer = await author.client.post(f"/chats/{chat}/messages", json={"body": "canary.live."})
            assert answer.status_code == 201
        for asker, chat, socket in sockets:
            if asker.id in members[chat]:
                assert (await socket.expect("new_message", chat_id=chat))["message"]["body"] == "canary.live."
            else:
                await socket.expect_silence()
