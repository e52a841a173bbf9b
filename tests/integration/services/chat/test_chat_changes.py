"""Changing, deleting and pinning chats, and the order of the list."""

import asyncio
from typing import Any

import pytest

from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def names(who: Person, query: str = "") -> list[str]:
    return [chat["name"] for chat in (await who.get(f"/chats{query}"))["data"]]


async def named(who: Person, name: str, *others: Person) -> int:
    body = {"chat_type": "group", "name": name, "user_ids": [other.id for other in others]}
    return int((await who.post("/chats", body, expect=201))["id"])


# -- PATCH


async def test_a_chat_is_renamed_described_and_archived_by_its_administrators(
    ada: Person, bob: Person
) -> None:
    chat_id = await named(ada, "Birds", bob)
    before = await ada.get(f"/chats/{chat_id}")
    changes: dict[str, Any] = {"name": "Bees", "description": "and flowers", "archived": True}
    after = await ada.patch(f"/chats/{chat_id}", changes)
    assert after == before | changes | {"last_seq": 3}
    (event,) = await bob.events(chat_id, since=2)
    own = ("members", "unread_count", "mention_count", "last_message")
    assert event == {
        "type": "chat_updated",
        "chat_id": chat_id,
        "seq": 3,
        "at": event["at"],
        "chat": {name: value for name, value in after.items() if name not in own},
    }
    await bob.patch(f"/chats/{chat_id}", {"archived": False}, expect=403)


async def test_what_is_not_named_stays_and_what_does_not_change_is_no_event(ada: Person) -> None:
    chat_id = await named(ada, "Birds")
    await ada.patch(f"/chats/{chat_id}", {"description": "of prey"})
    chat = await ada.patch(f"/chats/{chat_id}", {})
    assert (chat["name"], chat["description"]) == ("Birds", "of prey")
    assert (await ada.patch(f"/chats/{chat_id}", {"name": "Birds"}))["last_seq"] == 2
    assert (await ada.patch(f"/chats/{chat_id}", {"description": None}))["description"] is None


async def test_an_archived_chat_changes_only_by_being_opened(ada: Person) -> None:
    chat_id = await named(ada, "Birds")
    await ada.patch(f"/chats/{chat_id}", {"archived": True})
    await ada.patch(f"/chats/{chat_id}", {"name": "Bees"}, expect=409)
    chat = await ada.patch(f"/chats/{chat_id}", {"name": "Bees", "archived": False})
    assert (chat["name"], chat["archived"]) == ("Bees", False)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x" * 256}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"description": "x" * 4001}, "/description"),
        ({"archived": "yes"}, "/archived"),
        ({"creator_id": 1}, "/creator_id"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_by_pointer(ada: Person, body: object, pointer: str) -> None:
    chat_id = await ada.group()
    problem = await ada.patch(f"/chats/{chat_id}", body, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == [pointer]


# -- DELETE


async def test_a_deleted_chat_is_gone_for_everybody_and_each_is_told(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with ada.listening(chat_id) as hers, bob.listening(chat_id) as his:
        await bob.delete(f"/chats/{chat_id}", expect=403)
        await ada.delete(f"/chats/{chat_id}")
        told = [await hers.hear(), await hers.hear()]
        assert [(one["type"], one["seq"], one["user_id"]) for one in told] == [
            ("member_removed", 3, bob.id),
            ("member_removed", 4, ada.id),
        ]
        assert await his.hear() == told[0]
        await his.silence()
        for who in (ada, bob):
            await who.get(f"/chats/{chat_id}", expect=404)
            assert chat_id not in [chat["id"] for chat in (await who.get("/chats"))["data"]]
    await ada.delete(f"/chats/{chat_id}", expect=404)


async def test_the_pair_of_a_deleted_direct_chat_can_have_another(ada: Person, bob: Person) -> None:
    first = await ada.post("/chats", {"user_ids": [bob.id]}, expect=201)
    await ada.delete(f"/chats/{first['id']}")
    second = await bob.post("/chats", {"user_ids": [ada.id]}, expect=201)
    assert second["id"] != first["id"]


async def test_a_direct_chat_that_comes_and_goes_is_never_there_twice(ada: Person, bob: Person) -> None:
    async def open_and_delete(who: Person, other: Person) -> None:
        for _ in range(5):
            chat = (await who.client.post("/chats", json={"user_ids": [other.id]})).json()
            answer = await who.client.delete(f"/chats/{chat['id']}")
            assert answer.status_code in (204, 403, 404)

    await asyncio.gather(open_and_delete(ada, bob), open_and_delete(bob, ada))
    made = await ada.client.post("/chats", json={"user_ids": [bob.id]})
    assert made.json()["id"] == (await bob.client.post("/chats", json={"user_ids": [ada.id]})).json()["id"]


# -- the order of one's own list


async def test_pinned_chats_come_first_and_for_oneself_only(ada: Person, bob: Person) -> None:
    ids = [await named(ada, name, bob) for name in ("one", "two", "three", "four")]
    assert await names(ada) == ["four", "three", "two", "one"]
    for chat_id in (ids[0], ids[2], ids[2]):
        assert await ada.post(f"/chats/{chat_id}/pin", {"pinned": True}, expect=200) == {"success": True}
    assert await names(ada) == ["three", "one", "four", "two"]
    assert await names(bob) == ["four", "three", "two", "one"]
    await ada.say(ids[0])
    assert await names(ada) == ["one", "three", "four", "two"]
    assert (await ada.get(f"/chats/{ids[0]}"))["pinned"] is True
    await ada.post(f"/chats/{ids[0]}/pin", {"pinned": False}, expect=200)
    assert await names(ada) == ["three", "one", "four", "two"]
    assert "pinned" not in await ada.get(f"/chats/{ids[0]}")
    assert (await bob.get(f"/chats/{ids[0]}"))["last_seq"] == 3


async def test_the_pages_of_the_list_go_over_from_pinned_to_others(ada: Person) -> None:
    ids = [await ada.group() for _ in range(6)]
    for chat_id in ids[::2]:
        await ada.post(f"/chats/{chat_id}/pin", {"pinned": True}, expect=200)
    for limit in (1, 2, 4):
        seen, path = [], f"/chats?limit={limit}"
        while path:
            page = await ada.get(path)
            seen += [chat["id"] for chat in page["data"]]
            path = f"/chats?limit={limit}&after={page['next']}" if page["next"] else ""
        assert seen == [ids[4], ids[2], ids[0], ids[5], ids[3], ids[1]]


async def test_the_list_is_narrowed_by_a_part_of_the_name(ada: Person, bob: Person) -> None:
    for name in ("Grey heron", "HERONRY", "Пустельга", "100%", "a_b"):
        await named(ada, name)
    direct = await ada.post("/chats", {"user_ids": [bob.id]}, expect=201)
    assert await names(ada, "?q=heron") == ["HERONRY", "Grey heron"]
    assert await names(ada, "?q=ПУСТ") == ["Пустельга"]
    assert await names(ada, "?q=%25") == ["100%"]
    assert await names(ada, "?q=_") == ["a_b"]
    assert await names(ada, "?q=stork") == []
    for part in (bob.name.upper(), bob.login[2:]):
        assert [chat["id"] for chat in (await ada.get(f"/chats?q={part}"))["data"]] == [direct["id"]]
    page = await ada.get("/chats?q=heron&limit=1")
    assert await names(ada, f"?q=heron&limit=1&after={page['next']}") == ["Grey heron"]
