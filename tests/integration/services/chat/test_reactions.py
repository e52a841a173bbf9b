"""Reactions, forwarding and mentions."""

import asyncio
from functools import partial
from typing import Any

import pytest

from services.chat.rules import MAX_EMOJI
from tests.integration.services.chat.world import Person
from tests.support.costs import statements_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def path_of(message: dict[str, Any], below: str) -> str:
    return f"/chats/{message['chat_id']}/messages/{message['id']}{below}"


# -- reactions


async def test_reactions_are_grouped_in_the_order_of_first_use_and_toggled(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id)
    path = path_of(said, "/reactions")
    shown = []
    for who, emoji in ((bob, "👍"), (ada, "🎉"), (ada, "👍"), (bob, "👍"), (ada, "👍"), (ada, "👍")):
        shown.append((await who.post(path, {"emoji": emoji}, expect=200))["reactions"])
    thumb, party = "👍", "🎉"
    assert shown == [
        [{"emoji": thumb, "user_ids": [bob.id]}],
        [{"emoji": thumb, "user_ids": [bob.id]}, {"emoji": party, "user_ids": [ada.id]}],
        [{"emoji": thumb, "user_ids": [bob.id, ada.id]}, {"emoji": party, "user_ids": [ada.id]}],
        [{"emoji": thumb, "user_ids": [ada.id]}, {"emoji": party, "user_ids": [ada.id]}],
        [{"emoji": party, "user_ids": [ada.id]}],
        [{"emoji": party, "user_ids": [ada.id]}, {"emoji": thumb, "user_ids": [ada.id]}],
    ]
    told = await bob.events(chat_id, since=3)
    assert [event["type"] for event in told] == ["reaction_update"] * 6
    assert [event["reactions"] for event in told] == shown
    assert {event["message_id"] for event in told} == {said["id"]}
    (message,) = (await ada.get(f"/chats/{chat_id}/messages"))["data"]
    assert message == said | {"reactions": shown[-1]}


@pytest.mark.parametrize("emoji", ["", "hi", "👍👍", "<b>", "x" * 10_000, "\0", " 👍"])
async def test_what_is_no_emoji_is_refused_by_pointer(ada: Person, emoji: str) -> None:
    said = await ada.say(await ada.group())
    problem = await ada.post(path_of(said, "/reactions"), {"emoji": emoji}, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == ["/emoji"]


async def test_a_message_has_so_many_different_reactions_at_most(ada: Person, bob: Person) -> None:
    said = await ada.say(await ada.group(bob))
    path = path_of(said, "/reactions")
    for number in range(MAX_EMOJI):
        await ada.post(path, {"emoji": chr(0x1F600 + number)}, expect=200)
    await bob.post(path, {"emoji": "👍"}, expect=409)
    await bob.post(path, {"emoji": "\U0001f600"}, expect=200)


async def test_reactions_of_many_at_once_are_all_there(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob, eve)
    said = await ada.say(chat_id)
    emoji = [chr(0x1F600 + number) for number in range(8)]
    people = (ada, bob, eve)
    await asyncio.gather(
        *(
            who.post(path_of(said, "/reactions"), {"emoji": one}, expect=200)
            for one in emoji
            for who in people
        )
    )
    (message,) = (await ada.get(f"/chats/{chat_id}/messages"))["data"]
    assert {one["emoji"]: sorted(one["user_ids"]) for one in message["reactions"]} == dict.fromkeys(
        emoji, sorted(who.id for who in people)
    )
    assert (await ada.events(chat_id, since=4))[-1]["reactions"] == message["reactions"]


# -- forwarding


async def test_a_message_is_forwarded_into_another_chat(ada: Person, bob: Person, eve: Person) -> None:
    source, target = await ada.group(bob), await bob.group(eve)
    said = await ada.say(source, f"look, @{bob.login}")
    copy = await bob.post(path_of(said, "/forward"), {"chat_id": target}, expect=201)
    assert copy == said | {
        "id": copy["id"],
        "chat_id": target,
        "author_id": bob.id,
        "forwarded_from_id": said["id"],
        "created_at": copy["created_at"],
        "mentions": [],
    }
    (event,) = await eve.events(target, since=2)
    assert (event["type"], event["message"]) == ("new_message", copy)
    assert (await ada.get(f"/chats/{source}"))["last_seq"] == 3
    assert (await eve.get(f"/chats/{target}"))["unread_count"] == 1


async def test_forwarding_takes_rights_in_both_chats(ada: Person, bob: Person, eve: Person) -> None:
    source, target = await ada.group(bob), await ada.group(bob, chat_type="channel")
    strangers = await ada.group()
    said = await ada.say(source)
    for who, chat_id, status in ((bob, target, 403), (bob, strangers, 404), (eve, source, 404)):
        await who.post(path_of(said, "/forward"), {"chat_id": chat_id}, expect=status)
    await ada.patch(f"/chats/{target}", {"archived": True})
    await ada.post(path_of(said, "/forward"), {"chat_id": target}, expect=409)
    await ada.patch(f"/chats/{source}/members/{bob.id}", {"can_read": False})
    await bob.post(path_of(said, "/forward"), {"chat_id": await bob.group()}, expect=403)


# -- mentions


async def test_members_who_are_named_by_login_are_mentioned(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob)
    body = (
        f"@{bob.login.upper()}, @{eve.login} and @nobody: mail me@{bob.login} (@{ada.login}), @{bob.login}!"
    )
    said = await ada.say(chat_id, body)
    assert said["mentions"] == [bob.id, ada.id]
    assert (await bob.get(f"/chats/{chat_id}/messages"))["data"] == [said]
    chat = await bob.get(f"/chats/{chat_id}")
    assert (chat["unread_count"], chat["mention_count"]) == (1, 1)


async def test_mentions_are_counted_apart_from_what_is_unread(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)

    async def counts() -> tuple[int, int]:
        chat = await bob.get(f"/chats/{chat_id}")
        (listed,) = [one for one in (await bob.get("/chats"))["data"] if one["id"] == chat_id]
        assert listed == chat
        return chat["unread_count"], chat["mention_count"]

    said = [await ada.say(chat_id, body) for body in ("one", f"two @{bob.login}", "three", f"@{bob.login}")]
    assert await counts() == (4, 2)
    await bob.post(f"/chats/{chat_id}/read", {"message_id": said[1]["id"]}, expect=204)
    assert await counts() == (2, 1)
    await bob.say(chat_id)
    assert await counts() == (0, 0)


async def test_an_edited_message_mentions_whom_it_names_now(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob, eve)
    said = await ada.say(chat_id, f"@{bob.login}")
    edited = await ada.patch(path_of(said, ""), {"body": f"no, @{eve.login}"})
    assert edited["mentions"] == [eve.id]
    counts = [(await who.get(f"/chats/{chat_id}"))["mention_count"] for who in (bob, eve)]
    assert counts == [0, 1]


async def test_only_a_message_that_names_somebody_costs_more_statements(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    bodies = ("hello", "hello @nobody", f"@{bob.login}")
    assert [await statements_of(partial(ada.say, chat_id, body)) for body in bodies] == [1, 5, 6]
