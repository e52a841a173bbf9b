"""Creating chats and looking at them, over HTTP."""

import asyncio
from functools import partial

import pytest

from tests.integration.services.chat.world import Person
from tests.support.costs import statements_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_creator_of_a_group_has_every_right_and_the_others_read_and_write(
    ada: Person, bob: Person
) -> None:
    answer = await ada.client.post(
        "/chats", json={"chat_type": "group", "name": "Birds", "user_ids": [bob.id, bob.id, ada.id]}
    )
    assert answer.status_code == 201
    chat = answer.json()
    assert answer.headers["Location"] == f"/chats/{chat['id']}"
    first, second = chat.pop("members")
    joined_at, created_at = first.pop("joined_at"), chat.pop("created_at")
    assert created_at.endswith("Z")
    assert joined_at == second.pop("joined_at") == created_at
    assert chat == {
        "id": chat["id"],
        "name": "Birds",
        "chat_type": "group",
        "description": None,
        "archived": False,
        "creator_id": ada.id,
        "last_seq": 2,
        "unread_count": 0,
        "mention_count": 0,
        "last_message": None,
    }
    assert first == {
        "user_id": ada.id,
        "name": ada.name,
        "is_admin": True,
        "can_read": True,
        "can_write": True,
        "can_pin": True,
        "can_invite": True,
        "can_delete_others": True,
        "last_read_message_id": None,
    }
    assert second == {
        "user_id": bob.id,
        "name": bob.name,
        "is_admin": False,
        "can_read": True,
        "can_write": True,
        "can_pin": False,
        "can_invite": False,
        "can_delete_others": False,
        "last_read_message_id": None,
    }


async def test_a_direct_chat_is_found_again_from_both_sides(ada: Person, bob: Person) -> None:
    made = await ada.post("/chats", {"user_ids": [bob.id]}, expect=201)
    assert made["chat_type"] == "direct"
    assert (await ada.post("/chats", {"user_ids": [bob.id, ada.id]}, expect=200))["id"] == made["id"]
    assert (await bob.post("/chats", {"user_ids": [ada.id]}, expect=200))["id"] == made["id"]


async def test_a_direct_chat_that_many_create_at_once_exists_once(ada: Person, bob: Person) -> None:
    people = [ada, bob] * 10
    answers = await asyncio.gather(
        *(one.client.post("/chats", json={"user_ids": [ada.id, bob.id]}) for one in people)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    chat = answers[0].json()
    assert [member["user_id"] for member in chat["members"]] in ([ada.id, bob.id], [bob.id, ada.id])
    assert chat["last_seq"] == 2


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"user_ids": []}, 422, "/user_ids"),
        ({"chat_type": "group", "user_ids": [1_000_000]}, 422, "/user_ids/0"),
        ({"chat_type": "record", "user_ids": []}, 422, "/chat_type"),
        ({"chat_type": "group", "name": "x" * 256}, 422, "/name"),
        ({"chat_type": "group", "name": "a\0b"}, 422, "/name"),
        ({"chat_type": "group", "user_ids": ["bob"]}, 422, "/user_ids/0"),
        ({"chat_type": "group", "user_ids": [0]}, 422, "/user_ids/0"),
        ({"chat_type": "group", "user_ids": list(range(1, 502))}, 422, "/user_ids"),
        ({"chat_type": "group", "colour": "red"}, 422, "/colour"),
    ],
)
async def test_a_chat_that_cannot_be_is_refused_by_pointer(
    ada: Person, body: object, status: int, pointer: str
) -> None:
    problem = await ada.post("/chats", body, expect=status)
    assert [place["pointer"] for place in problem["errors"]] == [pointer]


async def test_a_direct_chat_with_oneself_or_with_two_is_refused(
    ada: Person, bob: Person, eve: Person
) -> None:
    await ada.post("/chats", {"user_ids": [ada.id]}, expect=422)
    await ada.post("/chats", {"user_ids": [bob.id, eve.id]}, expect=422)


async def test_the_list_has_the_asker_s_chats_with_the_newest_message_first(
    ada: Person, bob: Person, eve: Person
) -> None:
    first, second, third = [await ada.group(bob) for _ in range(3)]
    await eve.group()
    await ada.say(first, "one")
    last = await ada.say(first, "two")
    await bob.say(second, "three")
    chats = (await bob.get("/chats"))["data"]
    assert [chat["id"] for chat in chats] == [second, first, third]
    assert [chat["unread_count"] for chat in chats] == [0, 2, 0]
    assert chats[1]["last_message"] == last
    assert chats[2]["last_message"] is None
    assert [member["user_id"] for member in chats[0]["members"]] == [ada.id, bob.id]


async def test_the_list_is_read_page_by_page(ada: Person) -> None:
    made = [await ada.group() for _ in range(5)]
    seen, path = [], "/chats?limit=2"
    while path:
        page = await ada.get(path)
        assert len(page["data"]) <= 2
        seen += [chat["id"] for chat in page["data"]]
        path = f"/chats?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == made[::-1]


async def test_a_page_of_the_list_costs_two_statements_however_long_it_is(ada: Person, bob: Person) -> None:
    for _ in range(8):
        await ada.say(await ada.group(bob))
    for limit in (1, 8):
        assert len((await bob.get(f"/chats?limit={limit}"))["data"]) == limit
        assert await statements_of(partial(bob.get, f"/chats?limit={limit}")) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=nonsense", "colour=red"])
async def test_a_page_that_cannot_be_is_refused(ada: Person, query: str) -> None:
    problem = await ada.get(f"/chats?{query}", expect=422)
    assert problem["errors"][0]["pointer"].startswith("/query/")


async def test_a_member_sees_a_chat_and_a_stranger_does_not_learn_whether_it_exists(
    ada: Person, bob: Person, eve: Person
) -> None:
    chat_id = await ada.group(bob)
    assert (await bob.get(f"/chats/{chat_id}"))["id"] == chat_id
    hidden = await eve.get(f"/chats/{chat_id}", expect=404)
    absent = await eve.get("/chats/1000000", expect=404)
    assert hidden["detail"].replace(str(chat_id), "N") == absent["detail"].replace("1000000", "N")
