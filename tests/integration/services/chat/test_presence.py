"""Who is online, as those learn who share a chat with him."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.chat import presence as presence_module
from services.chat.app import ChatService
from tests.integration.services.chat.world import (
    Person,
    Socket,
    at_another_worker,
    chat_application,
    newcomer,
    two_workers,
)
from tests.support.application import RunningApplication
from tests.support.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


def presence(chat_id: int, who: Person, online: bool) -> dict[str, Any]:
    return {"type": "presence", "chat_id": chat_id, "user_id": who.id, "online": online}


async def subscribed(socket: Socket, chat_id: int) -> list[int]:
    await socket.say({"type": "subscribe", "chat_id": chat_id})
    found: list[int] = (await socket.hear())["presence"]
    return found


async def test_subscribing_names_who_is_online_and_others_are_told_who_comes_and_goes(
    ada: Person, bob: Person, eve: Person
) -> None:
    chat_id = await ada.group(bob, eve)
    async with ada.socket() as hers:
        assert await subscribed(hers, chat_id) == [ada.id]
        async with bob.socket(), bob.socket() as his:
            assert await hers.hear_presence() == presence(chat_id, bob, True)
            assert await subscribed(his, chat_id) == sorted([ada.id, bob.id])
        assert await hers.hear_presence() == presence(chat_id, bob, False)


async def test_only_those_who_share_a_chat_are_told_and_nobody_of_himself(
    ada: Person, bob: Person, eve: Person
) -> None:
    shared, other = await ada.group(bob), await ada.group(eve)

    async def told_of(socket: Socket, chat_id: int) -> set[int]:
        """Whom a socket has heard of up to a message."""
        said = await ada.say(chat_id)
        found = set()
        while (frame := await socket.hear_any()).get("message") != said:
            assert frame["type"] == "presence"
            found.add(frame["user_id"])
        return found

    async with ada.listening(shared) as hers, eve.listening(other) as theirs, bob.listening(shared) as his:
        assert await hers.hear_presence() == presence(shared, bob, True)
        assert await told_of(theirs, other) <= {ada.id}
        assert await told_of(his, shared) <= {ada.id}


async def test_who_is_online_and_becomes_a_member_is_told_of(ada: Person, bob: Person, eve: Person) -> None:
    chat_id = await ada.group(bob)
    async with eve.socket(), ada.socket() as hers:
        await eventually(lambda: ada.running.env.service(ChatService).is_online(eve.id))
        await subscribed(hers, chat_id)
        await ada.post(f"/chats/{chat_id}/members", {"user_id": eve.id}, expect=201)
        assert await hers.hear_presence() == presence(chat_id, eve, True)


async def test_who_comes_back_at_once_is_not_told_of(
    ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "GATHER_SECONDS", 0.1)
    chat_id = await ada.group(bob)
    async with ada.listening(chat_id) as hers:
        for _ in range(3):
            async with bob.socket():
                pass
        await ada.say(chat_id)
        await hers.hear()
        async with bob.socket():
            assert await hers.hear_presence() == presence(chat_id, bob, True)


async def test_presence_goes_across_workers(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        chat_id = await ada.group(bob)
        async with ada.listening(chat_id) as hers:
            async with bob.socket() as his:
                assert await hers.hear_presence() == presence(chat_id, bob, True)
                assert await subscribed(his, chat_id) == sorted([ada.id, bob.id])
                elsewhere = at_another_worker(bob, ada.running)
                async with elsewhere.socket():
                    pass
            assert await hers.hear_presence() == presence(chat_id, bob, False)


async def test_a_worker_that_stops_leaves_nobody_online(database_url: str) -> None:
    async with chat_application(database_url) as one:
        ada = await newcomer(one, "ada")
        async with AsyncExitStack() as other:
            bob = await newcomer(await other.enter_async_context(chat_application(database_url)), "bob")
            chat_id = await ada.group(bob)
            hers = await other.enter_async_context(ada.listening(chat_id))
            await other.enter_async_context(bob.socket())
            assert await hers.hear_presence() == presence(chat_id, bob, True)
            await bob.running.env.service(ChatService).shutdown(bob.running.app)
            assert await hers.hear_presence() == presence(chat_id, bob, False)


async def test_many_who_come_at_once_are_looked_up_together_and_told_at_a_pace(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "DELIVERIES_AT_ONCE", 4)
    monkeypatch.setattr(presence_module, "PAUSE_SECONDS", 0.01)
    people = [await newcomer(running, f"p{number}") for number in range(12)]
    chat_id = await people[0].group(*people[1:])
    asked: list[str] = []
    run = running.env.db.run

    async def noted(text: str, values: Any = ()) -> list[Any]:
        asked.append(text)
        return await run(text, values)

    async with people[0].listening(chat_id) as first, AsyncExitStack() as stack:
        monkeypatch.setattr(running.env.db, "run", noted)
        await asyncio.gather(*(stack.enter_async_context(who.socket()) for who in people[1:]))
        heard = [await first.hear_presence() for _ in people[1:]]
        assert sorted(one["user_id"] for one in heard) == sorted(who.id for who in people[1:])
        look_ups = [text for text in asked if "chat_id = ANY ($2" in text]
        assert len(look_ups) <= 3
    online = running.env.service(ChatService).parts.presence
    await eventually(lambda: all(who.id not in online for who in people))
