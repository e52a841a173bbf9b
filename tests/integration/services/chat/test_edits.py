"""Editing and deleting messages, and what they said before."""

from typing import Any

import pytest

from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


def path_of(message: dict[str, Any], below: str = "") -> str:
    return f"/chats/{message['chat_id']}/messages/{message['id']}{below}"


# -- editing


async def test_an_edit_is_one_event_and_keeps_what_was_said(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id, "helo")
    edited = await ada.patch(path_of(said), {"body": "hello"})
    assert edited == said | {"body": "hello", "edited_at": edited["edited_at"]}
    assert (await bob.get(f"/chats/{chat_id}/messages"))["data"] == [edited]
    (event,) = await bob.events(chat_id, since=3)
    assert event == {
        "type": "message_edited",
        "chat_id": chat_id,
        "seq": 4,
        "at": edited["edited_at"],
        "message": edited,
    }
    assert (await bob.get(path_of(said, "/history")))["data"] == [
        {"body": "hello", "at": edited["edited_at"]},
        {"body": "helo", "at": said["created_at"]},
    ]


async def test_history_has_every_version_newest_first(ada: Person) -> None:
    said = await ada.say(await ada.group(), "0")
    for number in range(1, 4):
        await ada.patch(path_of(said), {"body": f"{number}"})
    versions = (await ada.get(path_of(said, "/history")))["data"]
    assert [version["body"] for version in versions] == ["3", "2", "1", "0"]
    moments = [version["at"] for version in versions]
    assert moments == sorted(moments, reverse=True)


async def test_an_edit_that_changes_nothing_is_no_event(ada: Person) -> None:
    chat_id = await ada.group()
    said = await ada.say(chat_id, "hello")
    assert await ada.patch(path_of(said), {"body": "hello"}) == said
    assert len((await ada.get(path_of(said, "/history")))["data"]) == 1
    assert await ada.events(chat_id, since=2) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"body": " "}, "/body"), ({"body": "a\0b"}, "/body"), ({}, "/body"), ({"body": "x", "n": 1}, "/n")],
)
async def test_an_edit_that_cannot_be_is_refused_by_pointer(ada: Person, body: object, pointer: str) -> None:
    said = await ada.say(await ada.group())
    problem = await ada.patch(path_of(said), body, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == [pointer]


async def test_only_the_author_edits_and_only_while_he_may_write(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await bob.say(chat_id)
    await ada.patch(path_of(said), {"body": "put into his mouth"}, expect=403)
    await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_write": False})
    await bob.patch(path_of(said), {"body": "x"}, expect=403)


# -- deleting


async def test_a_deleted_message_keeps_its_place_and_nothing_that_was_said(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id, f"the secret, @{bob.login}")
    reply = await bob.say(chat_id, "which one?", reply_to_id=said["id"])
    await ada.patch(path_of(said), {"body": f"the real secret, @{bob.login}"})
    await ada.post(path_of(said, "/pin"), {"pinned": True}, expect=200)
    await bob.post(path_of(said, "/reactions"), {"emoji": "😱"}, expect=200)
    await ada.delete(path_of(said))
    first, second = (await bob.get(f"/chats/{chat_id}/messages"))["data"][::-1]
    assert first == said | {
        "body": "",
        "edited_at": first["edited_at"],
        "deleted_at": first["deleted_at"],
        "mentions": [],
    }
    assert second == reply
    assert first["deleted_at"] is not None
    assert (await bob.get(f"/chats/{chat_id}/pinned"))["data"] == []
    assert (await bob.get(path_of(said, "/history")))["data"] == []
    *told, event = await bob.events(chat_id, since=2)
    assert event == {
        "type": "message_deleted",
        "chat_id": chat_id,
        "seq": 8,
        "at": first["deleted_at"],
        "message_id": said["id"],
    }
    assert [one["type"] for one in told] == [
        "new_message",
        "new_message",
        "message_edited",
        "message_pinned",
        "reaction_update",
    ]
    assert [one["message"]["body"] for one in told[:3]] == ["", "which one?", ""]


async def test_what_was_deleted_is_nowhere_in_the_database(ada: Person) -> None:
    said = await ada.say(await ada.group(), "zyxwvuts")
    await ada.patch(path_of(said), {"body": "zyxwvuts again"})
    await ada.delete(path_of(said))
    db = ada.running.env.db
    for table in ("chat_messages", "chat_edits", "chat_events", "chat_mentions"):
        assert await db.fetchval(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%zyxwvuts%'") == 0


async def test_deleting_twice_is_one_event(ada: Person) -> None:
    chat_id = await ada.group()
    said = await ada.say(chat_id)
    for _ in range(2):
        await ada.delete(path_of(said))
    assert [event["type"] for event in await ada.events(chat_id, since=2)] == ["message_deleted"]


async def test_who_may_deletes_messages_of_others(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob, eve)
    hers = await ada.say(chat_id)
    await bob.delete(path_of(hers), expect=403)
    await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_delete_others": True})
    await bob.delete(path_of(hers))
    his = await eve.say(chat_id)
    await eve.delete(path_of(his))


async def test_nothing_can_be_done_with_a_deleted_message(ada: Person) -> None:
    chat_id = await ada.group()
    said = await ada.say(chat_id)
    await ada.delete(path_of(said))
    await ada.patch(path_of(said), {"body": "back again"}, expect=409)
    await ada.post(path_of(said, "/pin"), {"pinned": True}, expect=409)
    await ada.post(path_of(said, "/reactions"), {"emoji": "👍"}, expect=409)
    await ada.post(path_of(said, "/forward"), {"chat_id": chat_id}, expect=409)


async def test_a_deleted_message_is_not_unread(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    first, second, third = [await ada.say(chat_id, f"@{bob.login} {n}") for n in range(3)]
    await bob.post(f"/chats/{chat_id}/read", {"message_id": first["id"]}, expect=204)
    for message in (first, third):
        await ada.delete(path_of(message))
    chat = await bob.get(f"/chats/{chat_id}")
    assert (chat["unread_count"], chat["mention_count"]) == (1, 1)
    assert chat["last_message"]["id"] == third["id"]
    assert chat["last_message"]["body"] == ""
    await ada.delete(path_of(second))
    assert (await bob.get(f"/chats/{chat_id}"))["unread_count"] == 0


# -- all verbs on one message


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("PATCH", "", {"body": "x"}),
        ("DELETE", "", None),
        ("GET", "/history", None),
        ("POST", "/pin", {"pinned": True}),
        ("POST", "/reactions", {"emoji": "👍"}),
        ("POST", "/forward", {"chat_id": 1}),
    ],
)
async def test_a_message_of_another_chat_is_not_there(
    ada: Person, method: str, below: str, body: object
) -> None:
    here, elsewhere = await ada.group(), await ada.group()
    said = await ada.say(elsewhere)
    for message_id in (said["id"], said["id"] + 1000):
        answer = await ada.client.request(method, f"/chats/{here}/messages/{message_id}{below}", json=body)
        assert answer.status_code == 404, answer.text
    assert (await ada.get(f"/chats/{here}"))["last_seq"] == 1
    assert (await ada.get(f"/chats/{elsewhere}"))["last_seq"] == 2
