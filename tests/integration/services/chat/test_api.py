"""The chat's tables over auto CRUD: read by members only, administrators or not, and written nowhere."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.services.chat.world import Person
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(server_url: str) -> AsyncIterator[RunningApplication]:
    """The application as it ships."""
    async with fresh_database(server_url) as url, running_application(url) as running:
        yield running


async def person(whole: RunningApplication, login: str, *, is_admin: bool = False) -> Person:
    client = await whole.as_user(login, is_admin=is_admin)
    return Person(whole, client, (await client.get("/me")).json())


async def test_an_administrator_reads_only_the_chats_that_he_is_in(
    whole: RunningApplication,
) -> None:
    admin = await person(whole, "boss", is_admin=True)
    ada = await person(whole, "ada")
    mine = await admin.post("/chats", {"chat_type": "group", "name": "mine"}, expect=201)
    hers = await ada.post("/chats", {"chat_type": "group", "name": "the other"}, expect=201)
    await admin.post(f"/chats/{mine['id']}/messages", {"body": "open"}, expect=201)
    await ada.post(f"/chats/{hers['id']}/messages", {"body": "between us"}, expect=201)

    for route in ("chats", "chat_members", "chat_messages"):
        listed = await admin.client.get(f"/api/{route}?count=exact")
        assert listed.status_code == 200
        assert "the other" not in listed.text
        assert "between us" not in listed.text
        assert listed.json()["total"] == 1
    assert (await admin.client.get(f"/api/chats/{mine['id']}")).status_code == 200
    assert (await admin.client.get(f"/api/chats/{hers['id']}")).status_code == 404
    found = await admin.client.get('/api/users?filter=[["chat_messages.body","=","x"]]')
    assert found.status_code == 422
    oracle = await admin.client.post(
        "/api/chat_messages/search", json={"filter": [["body", "like", "between%"]]}
    )
    assert oracle.json()["data"] == []


@pytest.mark.parametrize("route", ["chats", "chat_members", "chat_messages"])
async def test_everybody_reads_the_chats_that_he_is_in(whole: RunningApplication, route: str) -> None:
    ada, bob = await person(whole, f"ada-{route}"), await person(whole, f"bob-{route}")
    mine = await ada.post("/chats", {"chat_type": "group", "name": "mine"}, expect=201)
    his = await bob.post("/chats", {"chat_type": "group", "name": "his"}, expect=201)
    for who, chat in ((ada, mine), (bob, his)):
        await who.post(f"/chats/{chat['id']}/messages", {"body": "hello"}, expect=201)
    listed = (await ada.get(f"/api/{route}"))["data"]
    assert [row.get("chat_id", row["id"]) for row in listed] == [mine["id"]]


async def test_a_member_who_may_not_read_finds_no_messages(whole: RunningApplication) -> None:
    admin = await person(whole, "muted", is_admin=True)
    ada = await person(whole, "ada2")
    chat = await ada.post("/chats", {"chat_type": "group", "name": "g", "user_ids": [admin.id]}, expect=201)
    await ada.post(f"/chats/{chat['id']}/messages", {"body": "psst"}, expect=201)
    assert "psst" in (await admin.client.get("/api/chat_messages")).text
    await whole.env.db.fetch(
        "UPDATE chat_members SET can_read = false WHERE chat_id = $1 AND user_id = $2", chat["id"], admin.id
    )
    assert "psst" not in (await admin.client.get("/api/chat_messages")).text
    assert len((await admin.client.get("/api/chats")).json()["data"]) == 1


@pytest.mark.parametrize("route", ["chats", "chat_members", "chat_messages"])
async def test_nothing_is_written_there(whole: RunningApplication, route: str) -> None:
    admin = await whole.as_admin()
    for method, path in (
        ("POST", f"/api/{route}"),
        ("PATCH", f"/api/{route}/1"),
        ("DELETE", f"/api/{route}/1"),
    ):
        refused = await admin.request(method, path, json={})
        assert refused.status_code == 405
        assert "/chats" in refused.json()["detail"]
        assert "GET" in refused.headers["allow"]
