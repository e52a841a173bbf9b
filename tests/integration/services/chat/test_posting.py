"""A message that mentions nobody is posted by one function of the database: what it says of it, and where it
leaves the work to the statements that do it step by step."""

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from services.chat.events import NewMessageEvent, durable_frame, posted_frame, posted_rest
from services.chat.schemas import MessageView
from tests.integration.services.chat.world import Person
from tests.support.costs import statements_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES = [
    "hello",
    'quotes " and \\ backslashes \\u0041 and \\" both',
    "lines\nand\ttabs\r\nand \u2028 and \x7f and \x01",
    "привет 🐦 \U0010ffff é",
    '","id":1,"created_at":"1970-01-01T00:00:00Z",{}',
    "$1 %s {rest} || ''; DROP TABLE chats; --",
    "x" * 60_000,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_the_log_the_socket_and_the_answer_say_the_same(ada: Person, bob: Person, body: str) -> None:
    chat_id = await ada.group(bob)
    async with bob.listening(chat_id) as socket:
        said = await ada.say(chat_id, body)
        heard = await socket.hear()
    (stored,) = await ada.running.env.db.fetch(
        "SELECT frame, at, seq FROM chat_events WHERE chat_id = $1 AND type = 'new_message'", chat_id
    )
    assert said["body"] == body
    assert heard == json.loads(stored["frame"])
    assert moments_read(heard["message"]) == moments_read(said)
    assert (heard["type"], heard["chat_id"], heard["seq"]) == ("new_message", chat_id, stored["seq"])
    assert dt.datetime.fromisoformat(heard["at"]) == stored["at"]


async def test_the_frame_is_letter_by_letter_the_one_in_the_log(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    first = await ada.say(chat_id)
    said = await ada.say(chat_id, BODIES[1], reply_to_id=first["id"])
    [(frame, at, seq)] = await ada.running.env.db.fetch(
        "SELECT frame, at, seq FROM chat_events WHERE chat_id = $1 ORDER BY seq DESC LIMIT 1", chat_id
    )
    rest = posted_rest(chat_id, ada.id, BODIES[1], first["id"])
    assert posted_frame(rest, chat_id=chat_id, message_id=said["id"], seq=seq, at=at) == frame.encode()


@pytest.mark.parametrize("micros", [0, 1, 120_000, 999_999])
async def test_the_frame_says_what_that_of_any_other_message_says(micros: int) -> None:
    at = dt.datetime(2026, 1, 2, 3, 4, 5, micros, dt.UTC)
    message = MessageView(
        id=9, chat_id=7, author_id=3, body=BODIES[2], reply_to_id=8, pinned=False, created_at=at
    )
    usual = durable_frame(NewMessageEvent(message=message), chat_id=7, seq=5, at=at)
    ours = posted_frame(posted_rest(7, 3, BODIES[2], 8), chat_id=7, message_id=9, seq=5, at=at)
    kind: Any = NewMessageEvent
    assert msgspec.json.decode(ours, type=kind) == msgspec.json.decode(usual, type=kind)
    usually, now = json.loads(usual), json.loads(ours)
    assert usually.keys() == now.keys()
    assert usually["message"].keys() == now["message"].keys()
    assert dt.datetime.fromisoformat(now["at"]) == at


async def test_in_a_transaction_it_is_told_when_that_is_committed(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.listening(chat_id) as socket:
        answer = await ada.client.post(
            f"/chats/{chat_id}/messages", json={"body": "once"}, headers={"Idempotency-Key": f"k{chat_id}"}
        )
        assert answer.status_code == 201
        assert (await socket.hear())["message"] == answer.json()
    assert [event["seq"] for event in await ada.events(chat_id, since=2)] == [3]


async def test_a_refused_message_takes_no_number_and_costs_one_statement(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    path = f"/chats/{chat_id}/messages"
    await ada.patch(f"/chats/{chat_id}/members/{bob.id}", {"can_write": False})
    before = (await ada.get(f"/chats/{chat_id}"))["last_seq"]

    async def refused() -> None:
        assert (await bob.client.post(path, json={"body": "no"})).status_code == 403

    assert await statements_of(refused) == 1
    assert (await ada.client.post(path, json={"body": "x", "reply_to_id": 10**12})).status_code == 404
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == before


def moments_read(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its time as a time: a fraction of zero may be written or not."""
    return {**message, "created_at": dt.datetime.fromisoformat(message["created_at"])}
