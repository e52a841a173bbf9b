"""The law of the stream: what was shown at some seq, and the events after it, is what is shown now."""

import asyncio
import random
from typing import Any

import pytest

from services.chat import actions
from tests.integration.services.chat.rig import all_messages, whole_log
from tests.integration.services.chat.world import Person
from tests.support.chat_state import ChatState

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_TYPES = {
    "new_message",
    "message_edited",
    "message_deleted",
    "message_pinned",
    "reaction_update",
    "messages_read",
    "member_added",
    "member_updated",
    "member_removed",
    "chat_updated",
}


class Hands:
    """Somebody who does anything that can be done in a chat, whether he may or not."""

    def __init__(self, who: Person, others: list[Person], chat_id: int, dice: random.Random) -> None:
        self._who = who
        self._others = others
        self._chat = f"/chats/{chat_id}"
        self._dice = dice

    async def act(self) -> None:
        """One thing; a refusal is an answer, a failure is not."""
        method, path, body = self._choice(await self._some_message())
        answer = await self._who.client.request(method, self._chat + path, json=body)
        assert answer.status_code < 500, answer.text

    async def _some_message(self) -> int:
        page = (await self._who.client.get(f"{self._chat}/messages?limit=8")).json()
        return int(self._dice.choice(page["data"])["id"]) if page.get("data") else 0

    def _choice(self, message_id: int) -> tuple[str, str, Any]:
        dice, message = self._dice, f"/messages/{message_id}"
        other = dice.choice(self._others)
        right = dice.choice(["can_pin", "can_write", "can_delete_others", "is_admin"])
        said = dice.choice(["hello", f"@{other.login}", f"well, @{self._who.login} and @{other.login}"])
        body = {"body": f"{said} {dice.random()}"}
        return dice.choice(
            [
                *[("POST", "/messages", body | ({"reply_to_id": message_id} if message_id else {}))] * 4,
                *[("PATCH", message, body)] * 2,
                ("DELETE", message, None),
                ("POST", f"{message}/pin", {"pinned": dice.random() < 0.7}),
                *[("POST", f"{message}/reactions", {"emoji": dice.choice("👍🎉😱")})] * 2,
                ("POST", "/read", {"message_id": message_id}),
                ("POST", "/members", {"user_id": other.id}),
                ("PATCH", f"/members/{other.id}", {right: dice.random() < 0.6}),
                ("DELETE", f"/members/{other.id}", None),
                ("PATCH", "", {"name": f"chat {dice.random()}", "archived": False}),
            ]
        )


@pytest.mark.parametrize("seed", [1, 2])
async def test_state_and_the_events_after_it_are_fresh_state(
    ada: Person, bob: Person, eve: Person, seed: int
) -> None:
    chat_id = await ada.group(bob, eve)
    dice = random.Random(seed)
    people = [ada, bob, eve]
    hands = [Hands(who, [bob, eve], chat_id, dice) for who in people]
    with ada.running.env.bind():
        for number in range(3):
            await actions.post_message(chat_id, bob.id, f"@{ada.login} {number}")
    snapshots: dict[int, ChatState] = {}

    async def look() -> ChatState:
        chat = await ada.get(f"/chats/{chat_id}")
        return ChatState(chat, await all_messages(ada, chat_id), ada.id)

    for _ in range(12):
        state = await look()
        snapshots[state.chat["last_seq"]] = state
        await asyncio.gather(*(one.act() for one in hands for _ in range(4)))
    for one in (hands[0],) * 30:
        await one.act()
    fresh = await look()
    log = await whole_log(ada, chat_id)
    pinned = (await ada.get(f"/chats/{chat_id}/pinned"))["data"]
    for seq, state in snapshots.items():
        for event in log[seq:]:
            # An event of a message that was deleted afterwards does not say any more what it said.
            state.apply(event)
        assert state.messages == fresh.messages
        assert state.chat == await ada.get(f"/chats/{chat_id}")
        assert state.pinned == pinned


async def test_every_type_of_event_is_under_the_law(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob)
    before = ChatState(await ada.get(f"/chats/{chat_id}"), [], ada.id)
    first, second = [await bob.say(chat_id, f"@{ada.login} {number}") for number in range(2)]
    path = f"/chats/{chat_id}/messages"
    await bob.patch(f"{path}/{first['id']}", {"body": f"again @{ada.login}"})
    await ada.post(f"{path}/{first['id']}/reactions", {"emoji": "👍"}, expect=200)
    await ada.post(f"{path}/{first['id']}/pin", {"pinned": True}, expect=200)
    await bob.delete(f"{path}/{second['id']}")
    third = await bob.say(chat_id, f"@{ada.login} 3")
    await ada.post(f"/chats/{chat_id}/read", {"message_id": first["id"]}, expect=204)
    await ada.post(f"/chats/{chat_id}/members", {"user_id": eve.id}, expect=201)
    await ada.patch(f"/chats/{chat_id}/members/{eve.id}", {"can_pin": True})
    await ada.delete(f"/chats/{chat_id}/members/{eve.id}")
    await ada.patch(f"/chats/{chat_id}", {"description": "birds", "archived": True})
    log = await whole_log(ada, chat_id)
    for event in log[2:]:
        before.apply(event)
    assert {event["type"] for event in log} == ALL_TYPES
    assert before.chat == await ada.get(f"/chats/{chat_id}")
    assert before.messages == await all_messages(ada, chat_id)
    assert before.chat["mention_count"] == before.chat["unread_count"] == 1
    assert before.chat["last_message"] == third
