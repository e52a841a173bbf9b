"""Saying something, pinning it, and reading it, over HTTP."""

import asyncio
import itertools

import pytest

from services.chat import actions
from services.chat.models import ChatMessage
from services.chat.settings import ChatSettings
from tests.integration.services.chat.world import Person, chat_application, person
from tests.support.costs import statements_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_is_answered_as_it_is_kept_and_makes_one_event(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id, "привет, Боб 🐦")
    assert said["created_at"].endswith("Z")
    assert said == {
        "id": said["id"],
        "chat_id": chat_id,
        "author_id": ada.id,
        "body": "привет, Боб 🐦",
        "reply_to_id": None,
        "forwarded_from_id": None,
        "pinned": False,
        "created_at": said["created_at"],
        "edited_at": None,
        "deleted_at": None,
        "reactions": [],
        "mentions": [],
    }
    assert (await bob.get(f"/chats/{chat_id}/messages"))["data"] == [said]
    assert await bob.events(chat_id, since=2) == [
        {
            "type": "new_message",
            "chat_id": chat_id,
            "seq": 3,
            "at": said["created_at"],
            "message": said,
        }
    ]


async def test_posting_moves_the_author_s_own_watermark_and_nobody_else_s(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    await bob.say(chat_id)
    said = await ada.say(chat_id)
    chat = await bob.get(f"/chats/{chat_id}")
    marks = {member["user_id"]: member["last_read_message_id"] for member in chat["members"]}
    assert marks == {ada.id: said["id"], bob.id: said["id"] - 1}
    assert chat["unread_count"] == 1
    assert [event["type"] for event in await bob.events(chat_id, since=2)] == ["new_message"] * 2


async def test_a_nonce_that_comes_again_is_the_same_message_and_no_event(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    path, body = f"/chats/{chat_id}/messages", {"body": "once", "nonce": "n1"}
    first = await ada.post(path, body, expect=201)
    assert await ada.post(path, body | {"body": "twice"}, expect=200) == first
    other = await bob.post(path, body, expect=201)
    assert other["id"] != first["id"]
    assert len(await ada.events(chat_id, since=2)) == 2


async def test_a_nonce_that_comes_many_times_at_once_is_one_message(ada: Person) -> None:
    chat_id = await ada.group()
    answers = await asyncio.gather(
        *(ada.client.post(f"/chats/{chat_id}/messages", json={"body": "x", "nonce": "n"}) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await ada.events(chat_id, since=1)) == 1


async def test_a_reply_names_a_message_of_the_same_chat(ada: Person) -> None:
    chat_id, other_id = await ada.group(), await ada.group()
    said, elsewhere = await ada.say(chat_id), await ada.say(other_id)
    reply = await ada.say(chat_id, "indeed", reply_to_id=said["id"])
    assert reply["reply_to_id"] == said["id"]
    for wrong in (elsewhere["id"], 1_000_000):
        problem = await ada.post(
            f"/chats/{chat_id}/messages", {"body": "x", "reply_to_id": wrong}, expect=404
        )
        assert problem["errors"][0]["pointer"] == "/reply_to_id"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"body": ""}, "/body"),
        ({"body": "  \n"}, "/body"),
        ({"body": "x" * 65_537}, "/body"),
        ({"body": "a\0b"}, "/body"),
        ({"body": 5}, "/body"),
        ({}, "/body"),
        ({"body": "x", "nonce": ""}, "/nonce"),
        ({"body": "x", "nonce": "n" * 129}, "/nonce"),
        ({"body": "x", "nonce": "a\0b"}, "/nonce"),
        ({"body": "x", "reply_to_id": "1"}, "/reply_to_id"),
        ({"body": "x", "pinned": True}, "/pinned"),
    ],
)
async def test_a_message_that_cannot_be_is_refused_by_pointer(
    ada: Person, body: object, pointer: str
) -> None:
    chat_id = await ada.group()
    problem = await ada.post(f"/chats/{chat_id}/messages", body, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == [pointer]
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 1


async def test_the_length_of_a_message_is_a_setting(database_url: str) -> None:
    async with chat_application(database_url, chat=ChatSettings(max_body_chars=3)) as running:
        ada = await person(running, "ada")
        chat_id = await ada.group()
        await ada.say(chat_id, "жжж")
        await ada.post(f"/chats/{chat_id}/messages", {"body": "жжжж"}, expect=422)


async def test_history_is_read_from_both_ends(ada: Person) -> None:
    chat_id = await ada.group()
    ids = [(await ada.say(chat_id, f"{number}"))["id"] for number in range(7)]

    async def page(query: str) -> tuple[list[int], int | None]:
        answer = await ada.get(f"/chats/{chat_id}/messages?{query}")
        return [ids.index(message["id"]) for message in answer["data"]], answer["next"]

    assert await page("") == ([6, 5, 4, 3, 2, 1, 0], None)
    assert await page("limit=3") == ([6, 5, 4], ids[4])
    assert await page(f"limit=3&before={ids[4]}") == ([3, 2, 1], ids[1])
    assert await page(f"limit=3&before={ids[1]}") == ([0], None)
    assert await page(f"limit=3&after={ids[1]}") == ([4, 3, 2], ids[4])
    assert await page(f"limit=3&after={ids[4]}") == ([6, 5], None)
    assert await page(f"limit=2&after={ids[1]}&before={ids[5]}") == ([4, 3], ids[3])


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "before=0", "after=x", "since=1"])
async def test_a_part_of_history_that_cannot_be_is_refused(ada: Person, query: str) -> None:
    await ada.get(f"/chats/{await ada.group()}/messages?{query}", expect=422)


async def test_pinning_is_one_event_and_doing_it_again_none(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await bob.say(chat_id)
    path = f"/chats/{chat_id}/messages/{said['id']}/pin"
    for pinned in (True, True, False, False, True):
        assert await ada.post(path, {"pinned": pinned}, expect=200) == {"success": True}
    assert (await bob.get(f"/chats/{chat_id}/pinned"))["data"] == [said | {"pinned": True}]
    told = await bob.events(chat_id, since=3)
    assert [(event["seq"], event["type"], event["pinned"]) for event in told] == [
        (4, "message_pinned", True),
        (5, "message_pinned", False),
        (6, "message_pinned", True),
    ]
    assert told[0] == {
        "type": "message_pinned",
        "chat_id": chat_id,
        "seq": 4,
        "at": told[0]["at"],
        "message_id": said["id"],
        "pinned": True,
        "user_id": ada.id,
    }
    with ada.running.env.system():
        assert (await ChatMessage.get(said["id"])).pinned


async def test_a_message_of_another_chat_cannot_be_pinned_from_here(ada: Person) -> None:
    chat_id, other_id = await ada.group(), await ada.group()
    said = await ada.say(other_id)
    for message_id in (said["id"], 1_000_000):
        await ada.post(f"/chats/{chat_id}/messages/{message_id}/pin", {"pinned": True}, expect=404)
    assert (await ada.get(f"/chats/{other_id}/pinned"))["data"] == []
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 1


async def test_reading_moves_the_watermark_forward_only(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    ids = [(await ada.say(chat_id))["id"] for _ in range(3)]
    for message_id in (ids[1], ids[0], ids[1]):
        await bob.post(f"/chats/{chat_id}/read", {"message_id": message_id}, expect=204)
    chat = await bob.get(f"/chats/{chat_id}")
    assert chat["unread_count"] == 1
    assert chat["members"][1]["last_read_message_id"] == ids[1]
    (told,) = await ada.events(chat_id, since=5)
    assert told == {
        "type": "messages_read",
        "chat_id": chat_id,
        "seq": 6,
        "at": told["at"],
        "user_id": bob.id,
        "message_id": ids[1],
    }


async def test_a_message_of_another_chat_cannot_be_read_here(ada: Person) -> None:
    chat_id, other_id = await ada.group(), await ada.group()
    said = await ada.say(other_id)
    await ada.post(f"/chats/{chat_id}/read", {"message_id": said["id"]}, expect=404)


async def test_events_are_read_in_order_and_by_pages(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    for number in range(3):
        await ada.say(chat_id, f"{number}")
    page = await bob.get(f"/chats/{chat_id}/events?since=1&limit=3")
    assert [(event["seq"], event["type"]) for event in page["data"]] == [
        (2, "member_added"),
        (3, "new_message"),
        (4, "new_message"),
    ]
    assert (page["seq"], page["reset"]) == (5, False)
    assert await bob.get(f"/chats/{chat_id}/events?since=5") == {"data": [], "seq": 5, "reset": False}


async def test_events_that_are_not_kept_any_longer_are_said_to_be_missing(ada: Person) -> None:
    chat_id = await ada.group()
    for _ in range(3):
        await ada.say(chat_id)
    await ada.running.env.db.fetch("DELETE FROM chat_events WHERE chat_id = $1 AND seq < 3", chat_id)
    page = await ada.get(f"/chats/{chat_id}/events?since=1")
    assert [event["seq"] for event in page["data"]] == [3, 4]
    assert page["reset"] is True
    assert (await ada.get(f"/chats/{chat_id}/events?since=2"))["reset"] is False
    assert (await ada.get(f"/chats/{chat_id}/events?since=9"))["reset"] is True
    await ada.running.env.db.fetch("DELETE FROM chat_events WHERE chat_id = $1", chat_id)
    assert (await ada.get(f"/chats/{chat_id}/events?since=3"))["reset"] is True


async def test_a_message_costs_one_round_trip_and_a_pin_four_with_begin_and_commit(ada: Person) -> None:
    chat_id = await ada.group()
    said = await ada.say(chat_id)
    turns = itertools.cycle((True, False))

    async def pin() -> None:
        path = f"/chats/{chat_id}/messages/{said['id']}/pin"
        assert (await ada.client.post(path, json={"pinned": next(turns)})).is_success

    assert await statements_of(lambda: ada.say(chat_id)) == 1
    assert await statements_of(pin) == 4


async def test_fifty_who_post_at_once_into_one_chat_get_numbers_without_gaps(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    env = ada.running.env

    async def post(number: int) -> actions.Posted:
        with env.bind():
            return await actions.post_message(chat_id, (ada.id, bob.id)[number % 2], f"{number}")

    posted = await asyncio.gather(*(post(number) for number in range(50)))
    assert sorted(one.seq for one in posted) == list(range(3, 53))
    by_seq = sorted(posted, key=lambda one: one.seq)
    assert [one.message.id for one in by_seq] == sorted(one.message.id for one in posted)
    assert [one.message.created_at for one in by_seq] == sorted(one.message.created_at for one in posted)
    told = await env.db.fetch(
        "SELECT seq, frame::json->'message'->>'body' FROM chat_events WHERE chat_id = $1 AND seq > 2"
        " ORDER BY seq",
        chat_id,
    )
    assert [tuple(row) for row in told] == [(one.seq, one.message.body) for one in by_seq]
