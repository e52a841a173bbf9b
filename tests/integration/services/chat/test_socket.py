"""/ws/chat: signing in, following chats and acting on the socket."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from app.http.settings import HttpSettings
from orm import DatabaseUnavailable
from orm.errors import Unavailable
from services.auth_token.settings import AuthSettings
from services.chat.models import ChatMember
from services.chat.settings import ChatSettings
from services.chat.websocket import socket as socket_module
from tests.integration.services.chat.world import (
    Person,
    Socket,
    at_another_worker,
    chat_application,
    open_socket,
    person,
)
from tests.support.application import ADMIN, PASSWORD, SECRET, RunningApplication

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Unreachable:
    """An authenticator that cannot ask anybody."""

    def cached(self, token: str) -> None:
        """Nothing is known."""

    async def verify_access(self, token: str) -> NoReturn:
        raise DatabaseUnavailable("away")


def has_seq(seq: int) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("seq") == seq


# -- the handshake


async def test_a_token_in_the_first_frame_signs_in(ada: Person) -> None:
    async with open_socket(ada.running.app) as socket:
        assert await socket.answer({"type": "auth", "token": ada.token}) == {
            "type": "ready",
            "user_id": ada.id,
            "heartbeat_seconds": 25.0,
            "worker": ada.running.env.worker,
        }
        assert socket.accepted is not None
        assert socket.accepted["subprotocol"] is None
        await socket.silence()


async def test_a_token_among_the_subprotocols_signs_in_without_a_frame(ada: Person) -> None:
    offered = ["starling.v1", f"bearer.{ada.token}"]
    async with open_socket(ada.running.app, subprotocols=offered) as socket:
        assert (await socket.hear())["user_id"] == ada.id
        assert socket.accepted is not None
        assert socket.accepted["subprotocol"] == "starling.v1"


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
async def test_a_token_that_is_not_valid_closes_with_4401(running: RunningApplication, token: str) -> None:
    async with open_socket(running.app) as socket:
        await socket.say({"type": "auth", "token": token})
        assert await socket.close_code() == 4401
    async with open_socket(running.app, subprotocols=["starling.v1", f"bearer.{token}"]) as socket:
        assert await socket.close_code() == 4401


async def test_a_first_frame_that_is_no_token_closes_with_4401(running: RunningApplication) -> None:
    async with open_socket(running.app) as socket:
        await socket.say({"type": "ping"})
        assert await socket.close_code() == 4401


async def test_a_socket_that_cannot_be_signed_in_now_is_told_to_come_back_later(ada: Person) -> None:
    env = ada.running.env
    usual, env.authenticator = env.authenticator, Unreachable()
    try:
        async with open_socket(ada.running.app) as socket:
            await socket.say({"type": "auth", "token": ada.token})
            assert await socket.close_code() == 1011
    finally:
        env.authenticator = usual


async def test_a_client_that_says_nothing_is_closed_with_4408(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "AUTH_SECONDS", 0.01)
    async with open_socket(running.app) as socket:
        assert await socket.close_code() == 4408


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        (None, True),
        ("http://testserver", True),
        ("https://app.example", True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
async def test_only_pages_of_this_host_and_of_listed_origins_get_in(
    database_url: str, origin: str | None, is_allowed: bool
) -> None:
    async with chat_application(
        database_url, http=HttpSettings(cors_origins=("https://app.example",))
    ) as running:
        ada = await person(running, "ada")
        headers = [("host", "testserver"), *([("origin", origin)] if origin is not None else [])]
        async with open_socket(running.app, headers=headers) as socket:
            await socket.say({"type": "auth", "token": ada.token})
            if is_allowed:
                assert (await socket.hear())["type"] == "ready"
            else:
                assert await socket.close_code() == 4403
            assert socket.accepted is not None


# -- what may be said


@pytest.mark.parametrize("text", ["hello", "", '{"type":', "\ud800"])
async def test_what_is_no_json_closes_with_4400(ada: Person, text: str) -> None:
    async with ada.socket() as socket:
        await socket.say(text)
        assert await socket.close_code() == 4400


async def test_half_of_an_emoji_is_answered_with_an_error_and_the_socket_stays(ada: Person) -> None:
    chat_id = await ada.group()
    async with ada.socket() as socket:
        await socket.say(f'{{"type":"send","chat_id":{chat_id},"nonce":"n7","body":"hey \\ud83d"}}')
        answer = await socket.hear()
        assert (answer["type"], answer["problem"]["status"], answer["ref"]) == ("error", 422, "n7")
        await socket.say({"type": "ping"})
        assert (await socket.hear())["type"] == "pong"


async def test_who_cannot_be_subscribed_now_is_told_to_come_back(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(user_id: int) -> dict[int, int]:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(socket_module, "stream_heads", away)
    async with ada.socket() as socket:
        await socket.say({"type": "subscribe_all"})
        assert await socket.close_code() == 1011


async def test_a_binary_frame_closes_with_4400(ada: Person) -> None:
    async with ada.socket() as socket:
        socket.incoming.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
        assert await socket.close_code() == 4400


async def test_a_frame_above_one_mebibyte_closes_with_1009(ada: Person) -> None:
    async with ada.socket() as socket:
        await socket.say('"' + "ж" * (1 << 19) + '"')
        assert await socket.close_code() == 1009


@pytest.mark.parametrize(
    ("frame", "status", "pointer"),
    [
        ({"type": "dance", "ref": "r"}, 422, "/type"),
        ({"type": "subscribe", "ref": "r"}, 422, "/chat_id"),
        ({"type": "subscribe", "chat_id": "x", "ref": "r"}, 422, "/chat_id"),
        ({"type": "subscribe", "chat_id": 1_000_000, "ref": "r"}, 404, None),
        ({"type": "typing", "chat_id": 1_000_000, "ref": "r"}, 404, None),
        ({"type": "read", "chat_id": 1_000_000, "message_id": 1, "ref": "r"}, 404, None),
        ({"type": "send", "chat_id": 1_000_000, "body": "x", "nonce": "r"}, 404, None),
        ({"type": "auth", "token": "nonsense", "ref": "r"}, 401, None),
    ],
)
async def test_what_is_wrong_is_answered_with_its_reference_and_the_socket_stays(
    ada: Person, frame: object, status: int, pointer: str | None
) -> None:
    async with ada.socket() as socket:
        error = await socket.answer(frame)
        assert (error["type"], error["ref"], error["problem"]["status"]) == ("error", "r", status)
        pointers = [place["pointer"] for place in error["problem"]["errors"]]
        assert pointers == ([] if pointer is None else [pointer])
        await socket.silence()


async def test_an_error_on_a_socket_is_found_again_by_the_id_of_its_handshake(ada: Person) -> None:
    headers = [("x-request-id", "socket-1")]
    async with open_socket(ada.running.app, headers=headers) as socket:
        await socket.answer({"type": "auth", "token": ada.token})
        assert (await socket.answer({"type": "dance"}))["problem"]["instance"] == "socket-1"


async def test_a_socket_that_floods_is_closed_with_4429(database_url: str) -> None:
    async with chat_application(database_url, chat=ChatSettings(frames_per_second=5)) as running:
        ada = await person(running, "ada")
        async with ada.socket() as socket:
            for _ in range(10):
                await socket.say({"type": "ping"})
            assert await socket.close_code() == 4429


async def test_one_socket_too_many_of_a_user_is_closed_with_4429(database_url: str) -> None:
    async with chat_application(database_url, chat=ChatSettings(sockets_per_user=1)) as running:
        ada, bob = await person(running, "ada"), await person(running, "bob")
        async with ada.socket() as first, bob.socket(), open_socket(running.app) as second:
            await second.say({"type": "auth", "token": ada.token})
            assert await second.close_code() == 4429
            await first.silence()
        async with ada.socket():
            pass


# -- following a chat


async def test_a_subscriber_hears_what_is_said_pinned_and_read(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.listening(chat_id) as socket:
        said = await ada.say(chat_id, "hello")
        await ada.post(f"/chats/{chat_id}/messages/{said['id']}/pin", {"pinned": True}, expect=200)
        await bob.post(f"/chats/{chat_id}/read", {"message_id": said["id"]}, expect=204)
        heard = [await socket.hear() for _ in range(3)]
    assert heard == (await bob.get(f"/chats/{chat_id}/events?since=2"))["data"]
    assert [event["type"] for event in heard] == ["new_message", "message_pinned", "messages_read"]


async def test_subscribing_says_where_the_stream_stands(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.socket() as socket:
        assert await socket.answer({"type": "subscribe", "chat_id": chat_id}) == {
            "type": "subscribed",
            "chat_id": chat_id,
            "seq": 2,
            "presence": [bob.id],
        }


async def test_since_brings_what_was_missed_in_order_and_then_goes_on_live(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    for number in range(150):
        await ada.say(chat_id, f"{number}")
    async with bob.socket() as socket:
        await socket.say({"type": "subscribe", "chat_id": chat_id, "since": 2})
        assert (await socket.hear())["seq"] == 152
        await ada.say(chat_id, "150")
        heard = await socket.hear_until(has_seq(153))
    assert [event["seq"] for event in heard] == list(range(3, 154))
    assert [event["message"]["body"] for event in heard] == [str(number) for number in range(151)]


async def test_since_before_what_is_kept_is_answered_by_reset(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    for _ in range(3):
        await ada.say(chat_id)
    await ada.running.env.db.fetch("DELETE FROM chat_events WHERE chat_id = $1 AND seq < 5", chat_id)
    async with bob.listening(chat_id, since=2) as socket:
        assert await socket.hear() == {"type": "reset", "chat_id": chat_id, "seq": 5}
        await ada.say(chat_id)
        assert (await socket.hear())["seq"] == 6


async def test_subscribe_all_follows_every_chat_and_those_that_are_joined_later(
    ada: Person, bob: Person, eve: Person
) -> None:
    first, second = await ada.group(bob), await ada.group(bob)
    await ada.group(eve)
    missed = await ada.say(first)
    async with bob.socket() as socket:
        await socket.say({"type": "subscribe_all", "since": {str(first): 2}})
        heard = [await socket.hear() for _ in range(3)]
        greetings = {one["chat_id"]: one["seq"] for one in heard if one["type"] == "subscribed"}
        assert greetings == {first: 3, second: 2}
        assert [one["message"] for one in heard if one["type"] == "new_message"] == [missed]
        third = await ada.group(bob)
        joined = await socket.hear()
        assert (joined["type"], joined["chat_id"], joined["member"]["user_id"]) == (
            "member_added",
            third,
            bob.id,
        )
        said = await ada.say(third)
        assert (await socket.hear())["message"] == said


async def test_a_new_member_is_told_on_every_socket_and_subscribes_by_himself(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group()
    async with bob.socket() as socket:
        member = await ada.post(f"/chats/{chat_id}/members", {"user_id": bob.id}, expect=201)
        assert (await socket.hear())["member"] == member
        await ada.say(chat_id)
        await socket.silence()


async def test_after_unsubscribing_nothing_is_heard(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with bob.listening(chat_id) as socket, ada.listening(chat_id) as witness:
        await socket.say({"type": "unsubscribe", "chat_id": chat_id})
        await socket.silence()
        await ada.say(chat_id)
        await witness.hear()
        await socket.silence()


async def test_a_stranger_hears_nothing_and_a_muted_reader_neither(
    ada: Person, bob: Person, eve: Person
) -> None:
    chat_id = await ada.group(bob)
    with ada.running.env.system():
        await (await ChatMember.check_member(chat_id, bob.id)).update(can_read=False)
    async with bob.socket() as muted, eve.socket() as stranger, ada.listening(chat_id) as witness:
        for socket, status in ((muted, 403), (stranger, 404)):
            error = await socket.answer({"type": "subscribe", "chat_id": chat_id})
            assert error["problem"]["status"] == status
            await socket.say({"type": "subscribe_all"})
        await ada.say(chat_id)
        await witness.hear()
        await muted.silence()
        await stranger.silence()


# -- acting on the socket


async def test_a_message_that_is_sent_is_acknowledged_and_told_to_all(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with ada.listening(chat_id) as mine, bob.listening(chat_id) as his:
        frame = {"type": "send", "chat_id": chat_id, "body": "hi", "nonce": "n"}
        await mine.say(frame)
        heard = [await mine.hear(), await mine.hear()]
        (ack,) = (one for one in heard if one["type"] == "ack")
        (event,) = (one for one in heard if one["type"] == "new_message")
        assert ack == {"type": "ack", "nonce": "n", "message_id": event["message"]["id"], "seq": 3}
        assert await his.hear() == event
        assert await mine.answer(frame) == ack
        await his.silence()


async def test_a_reader_of_a_channel_may_listen_and_not_speak(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob, chat_type="channel")
    async with bob.listening(chat_id) as socket:
        frame = {"type": "send", "chat_id": chat_id, "body": "hi", "nonce": "n"}
        error = await socket.answer(frame)
        assert (error["problem"]["status"], error["ref"]) == (403, "n")
        error = await socket.answer({"type": "typing", "chat_id": chat_id})
        assert error["problem"]["status"] == 403


async def test_typing_is_told_at_once_and_not_kept(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    async with ada.listening(chat_id) as mine, bob.listening(chat_id) as his:
        await mine.say({"type": "typing", "chat_id": chat_id})
        assert await his.hear() == {"type": "typing", "chat_id": chat_id, "user_id": ada.id}
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 2


async def test_reading_on_the_socket_is_an_event(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = await ada.say(chat_id)
    async with bob.listening(chat_id) as socket:
        await socket.say({"type": "read", "chat_id": chat_id, "message_id": said["id"]})
        heard = await socket.hear()
    assert (heard["type"], heard["user_id"], heard["message_id"]) == ("messages_read", bob.id, said["id"])


# -- the end of a session


async def test_a_socket_goes_on_with_a_newer_token_of_its_user_only(ada: Person, bob: Person) -> None:
    newer = (await ada.running.sign_in(ada.login))["access_token"]
    async with ada.socket() as socket, ada.socket() as witness:
        assert (await socket.answer({"type": "auth", "token": newer}))["type"] == "ready"
        error = await socket.answer({"type": "auth", "token": bob.token})
        assert error["problem"]["status"] == 403
        await ada.post("/logout", {}, expect=204)
        assert await witness.close_code() == 4401
        await socket.silence()


async def test_a_socket_ends_within_a_second_of_its_session(ada: Person) -> None:
    async with ada.socket() as socket:
        await ada.post("/logout", {}, expect=204)
        async with asyncio.timeout(1.0):
            assert await socket.close_code() == 4401


async def test_a_socket_ends_within_a_second_on_another_worker_too(database_url: str) -> None:
    async with chat_application(database_url) as here, chat_application(database_url) as there:
        ada = await person(here, "ada")
        async with at_another_worker(ada, there).socket() as socket:
            await ada.post("/logout", {}, expect=204)
            # Half a second until the other worker reads the revision, a quarter until its guard looks.
            async with asyncio.timeout(1.0):
                assert await socket.close_code() == 4401


async def test_a_socket_ends_when_its_token_expires(database_url: str) -> None:
    auth = AuthSettings(secret=SECRET, admin_login=ADMIN, admin_password=PASSWORD, access_ttl_seconds=1)
    async with chat_application(database_url, auth=auth) as running:
        ada = await person(running, "ada")
        async with ada.socket() as socket:
            assert await socket.close_code() == 4401


async def test_sockets_are_told_to_come_back_when_the_process_stops(database_url: str) -> None:
    async with chat_application(database_url) as running:
        ada = await person(running, "ada")
        async with ada.socket() as socket:
            await running.env.stop_services(running.app)
            assert await socket.close_code() == 1012


async def test_a_client_that_leaves_is_forgotten(ada: Person) -> None:
    chat_id = await ada.group()
    async with ada.listening(chat_id), ada.socket():
        pass
    async with open_socket(ada.running.app) as socket:
        assert isinstance(socket, Socket)
    await ada.say(chat_id)
