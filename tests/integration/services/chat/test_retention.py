"""What is not kept for ever, and what is told to those who come back for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.chat import retention as retention_module
from services.chat.app import ChatService
from services.chat.settings import ChatSettings
from tests.integration.services.chat.test_records import application as record_application
from tests.integration.services.chat.test_records import open_chat, partner
from tests.integration.services.chat.world import Person, chat_application, newcomer, person
from tests.support.application import RunningApplication
from tests.support.databases import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(server_url: str) -> AsyncIterator[RunningApplication]:
    """An application that keeps events for ten days."""
    settings = ChatSettings(event_retention_days=10)
    async with fresh_database(server_url) as url, chat_application(url, chat=settings) as running:
        yield running


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every loop goes round."""
    monkeypatch.setattr(retention_module, "ROWS", 4)
    monkeypatch.setattr(retention_module, "CHATS", 2)


async def clear_away(running: RunningApplication) -> int:
    """Do the job as the schedule does."""
    (job,) = running.env.service(ChatService).jobs()
    with running.env.system():
        return await job.work() or 0


async def ago(running: RunningApplication, chat_id: int, days: int, *, through: int) -> None:
    """The first events of a chat are older than they are."""
    await running.env.db.fetch(
        "UPDATE chat_events SET at = at - make_interval(days => $2) WHERE chat_id = $1 AND seq <= $3",
        *(chat_id, days, through),
    )


async def kept(running: RunningApplication, chat_id: int) -> list[int]:
    rows = await running.env.db.fetch("SELECT seq FROM chat_events WHERE chat_id = $1 ORDER BY seq", chat_id)
    return [row["seq"] for row in rows]


async def test_events_are_kept_for_so_many_days(ada: Person, bob: Person) -> None:
    chat_ids = [await ada.group(bob) for _ in range(3)]
    for chat_id in chat_ids:
        for number in range(6):
            await ada.say(chat_id, f"{number}")
    await ago(ada.running, chat_ids[0], 11, through=5)
    await ago(ada.running, chat_ids[1], 9, through=8)
    await ago(ada.running, chat_ids[2], 11, through=8)
    assert await clear_away(ada.running)
    assert [await kept(ada.running, chat_id) for chat_id in chat_ids] == [[6, 7, 8], list(range(1, 9)), []]
    assert len((await bob.get(f"/chats/{chat_ids[2]}/messages"))["data"]) == 6


async def test_a_clock_that_went_back_leaves_no_hole(ada: Person) -> None:
    chat_id = await ada.group()
    for _ in range(5):
        await ada.say(chat_id)
    await ada.running.env.db.fetch(
        "UPDATE chat_events SET at = at - interval '11 days' WHERE chat_id = $1 AND seq IN (1, 3)", chat_id
    )
    await clear_away(ada.running)
    left = await kept(ada.running, chat_id)
    assert left == list(range(left[0], 7))
    assert left[0] > 1


async def test_who_comes_back_for_what_is_gone_gets_reset_and_what_follows(ada: Person, bob: Person) -> None:
    chat_id = await ada.group(bob)
    said = [await ada.say(chat_id, f"{number}") for number in range(4)]
    await ago(ada.running, chat_id, 11, through=4)
    await clear_away(ada.running)
    for since, is_reset in ((3, True), (4, False), (5, False), (6, False)):
        assert (await bob.get(f"/chats/{chat_id}/events?since={since}"))["reset"] is is_reset
    async with bob.listening(chat_id, since=4) as socket:
        assert [(await socket.hear())["message"]["id"] for _ in range(2)] == [one["id"] for one in said[2:]]
    async with bob.socket() as socket:
        await socket.say({"type": "subscribe_all", "since": {str(chat_id): 2}})
        heard = await socket.hear_until(lambda frame: frame["type"] == "reset")
        assert heard[-1] == {"type": "reset", "chat_id": chat_id, "seq": 6}
        late = await ada.say(chat_id)
        assert (await socket.hear())["message"] == late
    # Also where nothing at all is kept.
    await ago(ada.running, chat_id, 11, through=7)
    await clear_away(ada.running)
    async with bob.listening(chat_id, since=6) as socket:
        assert (await socket.hear()) == {"type": "reset", "chat_id": chat_id, "seq": 7}
    async with bob.listening(chat_id, since=7) as socket:
        await socket.silence()


async def test_events_are_kept_up_to_so_many_of_each_chat(database_url: str) -> None:
    settings = ChatSettings(event_retention_count=3)
    async with chat_application(database_url, chat=settings) as running:
        ada = await person(running, "ada")
        chat_ids = [await ada.group() for _ in range(5)]
        for place, chat_id in enumerate(chat_ids):
            for _ in range(place * 2):
                await ada.say(chat_id)
        assert await clear_away(running)
        lengths = [await kept(running, chat_id) for chat_id in chat_ids]
        assert lengths == [[1], [1, 2, 3], [3, 4, 5], [5, 6, 7], [7, 8, 9]]


async def test_two_workers_that_clear_away_at_once_do_no_harm(database_url: str) -> None:
    async with chat_application(database_url) as one, chat_application(database_url) as other:
        ada = await newcomer(one, "ada")
        chat_id = await ada.group()
        for _ in range(30):
            await ada.say(chat_id)
        await ago(one, chat_id, 31, through=31)
        assert sum(await asyncio.gather(clear_away(one), clear_away(other))) == 31
        assert await kept(one, chat_id) == []
        assert await clear_away(one) == 0


async def test_a_chat_that_is_gone_is_removed_after_a_while(
    ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_id, other_id = await ada.group(bob), await ada.group(bob)
    for number in range(6):
        said = await ada.say(chat_id, f"@{bob.login} {number}")
        await ada.patch(f"/chats/{chat_id}/messages/{said['id']}", {"body": f"@{bob.login} no"})
        await ada.say(chat_id, "reply", reply_to_id=said["id"])
    copy = await ada.post(
        f"/chats/{chat_id}/messages/{said['id']}/forward", {"chat_id": other_id}, expect=201
    )
    await ada.delete(f"/chats/{chat_id}")
    await clear_away(ada.running)
    assert await kept(ada.running, chat_id)  # those who were in it may still be told
    monkeypatch.setattr(retention_module, "GRACE", retention_module.GRACE * 0)
    await clear_away(ada.running)
    db = ada.running.env.db
    for table in ("chat_messages", "chat_events", "chat_members", "chat_mentions"):
        assert await db.fetchval(f"SELECT count(*) FROM {table} WHERE chat_id = $1", chat_id) == 0
    assert await db.fetchval("SELECT count(*) FROM chats WHERE id = $1", chat_id) == 0
    assert (await bob.get(f"/chats/{other_id}/messages"))["data"] == [copy]


async def test_the_chat_of_a_record_that_is_gone_goes_with_it(server_url: str) -> None:
    async with fresh_database(server_url) as url, record_application(url) as running:
        ada = await newcomer(running, "ada")
        lost, still_there = await partner(ada), await partner(ada)
        chats: list[dict[str, Any]] = [await open_chat(ada, one, expect=201) for one in (lost, still_there)]
        await running.env.db.fetch("DELETE FROM partners WHERE id = $1", lost)
        await clear_away(running)
        gone = "SELECT gone_at IS NOT NULL FROM chats WHERE id = $1"
        assert [await running.env.db.fetchval(gone, chat["id"]) for chat in chats] == [True, False]
        assert await open_chat(ada, still_there) == chats[1]
