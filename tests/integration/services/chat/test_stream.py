"""Events between workers, from other modules, and in the order in which rights change."""

import asyncio
import secrets
from pathlib import Path

import pytest

from app.realtime.settings import PubSubSettings
from orm import RecordNotFound, UsageError
from services.chat import actions
from services.chat.app import ChatService
from services.chat.log import ChatEventLog, topic_of
from services.chat.manager import chat_manager
from services.chat.numbers import numbers
from tests.integration.app.realtime.redis_server import plain_server
from tests.integration.services.chat.world import Person, chat_application, person, two_workers
from tests.support.application import RunningApplication
from tests.support.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_done_at_one_worker_is_heard_at_the_other(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        assert ada.running.env.worker != bob.running.env.worker
        chat_id = await ada.group(bob)
        async with bob.listening(chat_id) as socket:
            said = await ada.say(chat_id, "hello")
            await ada.post(f"/chats/{chat_id}/messages/{said['id']}/pin", {"pinned": True}, expect=200)
            with ada.running.env.bind():
                await chat_manager.send_to_chat(chat_id, {"type": "typing", "user_id": ada.id})
            heard = [await socket.hear() for _ in range(3)]
        assert [event["type"] for event in heard] == ["new_message", "message_pinned", "typing"]
        assert heard[0]["message"] == said


async def test_a_message_of_any_size_is_heard_at_the_other_worker(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        chat_id = await ada.group(bob)
        async with bob.listening(chat_id) as socket:
            for size in (1, 7_000, 8_000, 60_000):
                said = await ada.say(chat_id, "ж" * size)
                assert (await socket.hear())["message"] == said


async def test_a_chat_that_is_joined_at_one_worker_is_followed_at_the_other(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob), bob.socket() as socket:
        await socket.say({"type": "subscribe_all"})
        await socket.silence()
        chat_id = await ada.group(bob)
        assert (await socket.hear())["type"] == "member_added"
        await ada.say(chat_id)
        assert (await socket.hear())["type"] == "new_message"


async def test_all_workers_posting_into_one_chat_are_heard_in_one_order(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        chat_id = await ada.group(bob)

        async def talk(who: Person) -> None:
            for number in range(20):
                with who.running.env.bind():
                    await actions.post_message(chat_id, who.id, f"{who.id} {number}")

        async with ada.listening(chat_id) as hers, bob.listening(chat_id) as his:
            await asyncio.gather(*(talk(who) for who in (ada, bob) * 2))
            heard = [[await socket.hear() for _ in range(80)] for socket in (hers, his)]
        assert heard[0] == heard[1]
        assert [event["seq"] for event in heard[0]] == list(range(3, 83))


async def test_with_the_redis_broker_workers_hear_each_other(database_url: str, tmp_path: Path) -> None:
    channel = f"starling-test-{secrets.token_hex(6)}"
    with plain_server(tmp_path) as url:
        pubsub = PubSubSettings(backend="redis", url=url, channel=channel)
        await talk_across_workers(database_url, pubsub)


async def talk_across_workers(database_url: str, pubsub: PubSubSettings) -> None:
    async with two_workers(database_url, pubsub=pubsub) as (ada, bob):
        chat_id = await ada.group(bob)
        async with bob.listening(chat_id) as socket:
            said = await ada.say(chat_id, "ж" * 60_000)
            assert (await socket.hear())["message"] == said
            await ada.delete(f"/chats/{chat_id}/members/{bob.id}")
            assert (await socket.hear())["type"] == "member_removed"


async def test_with_the_memory_broker_one_process_hears_itself(database_url: str) -> None:
    async with chat_application(database_url, pubsub=PubSubSettings(backend="memory")) as running:
        ada = await person(running, "ada")
        chat_id = await ada.group()
        async with ada.listening(chat_id) as socket:
            said = await ada.say(chat_id)
            assert (await socket.hear())["message"] == said


# -- other modules


async def test_an_event_of_another_module_is_stored_with_its_change_and_told_after_commit(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    env = ada.running.env
    async with bob.listening(chat_id) as socket:
        with env.bind():
            async with env.db.transaction():
                seq = await chat_manager.send_to_chat(chat_id, {"type": "order_shipped", "order_id": 5})
                await socket.silence()
        heard = await socket.hear()
        assert seq == 3
        assert heard == {
            "type": "order_shipped",
            "order_id": 5,
            "chat_id": chat_id,
            "seq": 3,
            "at": heard["at"],
        }
    assert (await bob.get(f"/chats/{chat_id}/events?since=2"))["data"] == [heard]


async def test_an_event_of_a_change_that_is_rolled_back_never_was(ada: Person) -> None:
    chat_id = await ada.group()
    env = ada.running.env

    async def change_and_fail() -> None:
        async with env.db.transaction():
            await chat_manager.send_to_chat(chat_id, {"type": "order_shipped"})
            raise RuntimeError("no")

    async with ada.listening(chat_id) as socket:
        with env.bind(), pytest.raises(RuntimeError, match="no"):
            await change_and_fail()
        said = await ada.say(chat_id)
        heard = await socket.hear()
    assert (heard["seq"], heard["message"]) == (2, said)


async def test_a_durable_event_outside_of_a_transaction_is_refused(ada: Person) -> None:
    chat_id = await ada.group()
    with ada.running.env.bind(), pytest.raises(UsageError, match="transaction"):
        await chat_manager.send_to_chat(chat_id, {"type": "order_shipped"})


async def test_an_event_for_a_chat_that_is_not_there_is_refused(running: RunningApplication) -> None:
    with running.env.bind(), pytest.raises(RecordNotFound):
        async with running.env.db.transaction():
            await chat_manager.send_to_chat(1_000_000, {"type": "order_shipped"})


async def test_an_event_for_a_user_reaches_all_his_sockets_and_nobody_else_s(database_url: str) -> None:
    event = {"type": "order_shipped", "order_id": 5}
    async with (
        two_workers(database_url) as (ada, bob),
        bob.socket() as first,
        bob.socket() as second,
        ada.socket() as hers,
    ):
        with ada.running.env.bind():
            await chat_manager.send_to_user(bob.id, event)
        assert [await first.hear(), await second.hear()] == [event, event]
        await hers.silence()


# -- rights in the order of the stream


async def test_a_member_who_is_removed_while_he_posts_posts_nothing_after_his_removal(
    ada: Person, bob: Person
) -> None:
    chat_id = await ada.group(bob)
    env = ada.running.env
    is_locked = asyncio.Event()

    async def post() -> None:
        await is_locked.wait()
        with env.bind():
            await actions.post_message(chat_id, bob.id, "too late")

    posting = asyncio.create_task(post())
    with env.bind():
        async with env.db.transaction():
            await chat_manager.send_to_chat(chat_id, {"type": "member_removed", "user_id": bob.id})
            is_locked.set()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not await env.db.fetchval(waiting):
                await env.db.fetch("SELECT pg_stat_clear_snapshot()")
            await env.db.fetch(
                "DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", chat_id, bob.id
            )
    with pytest.raises(RecordNotFound):
        await posting
    assert (await ada.get(f"/chats/{chat_id}"))["last_seq"] == 3


# -- the log


async def test_the_log_gives_heads_events_and_recent_joins(ada: Person, bob: Person, eve: Person) -> None:
    chat_id, other_id = await ada.group(bob), await ada.group()
    await ada.say(chat_id)
    log = ChatEventLog(ada.running.env.db)
    topic, other = topic_of(chat_id), topic_of(other_id)
    assert await log.heads([topic, other, topic_of(1_000_000)]) == {topic: 3, other: 1}
    read = await log.read(topic, 1, 10)
    assert [(event.seq, event.joins) for event in read] == [(2, (bob.id,)), (3, ())]
    assert await log.read(topic, 0, 1) == [(await log.read(topic, 0, 10))[0]]
    joins = await log.joins([bob.id, eve.id], 60)
    assert [(event.topic, event.seq, event.joins) for event in joins] == [(topic, 2, (bob.id,))]
    assert await log.joins([bob.id], 0) == []
    await ada.running.env.db.fetch("DELETE FROM chat_members WHERE user_id = $1", bob.id)
    assert await log.joins([bob.id], 60) == []


async def test_readiness_speaks_of_the_broker(database_url: str) -> None:
    async with chat_application(database_url) as running:
        assert running.env.unready() == {}
        await running.env.service(ChatService).realtime.stop()
        assert "realtime" in running.env.unready()


async def test_metrics_tell_of_sockets_and_of_what_went_between_workers(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        chat_id = await ada.group(bob)
        async with bob.listening(chat_id) as socket:
            for number in range(3):
                await ada.say(chat_id, f"{number}")
                assert (await socket.hear())["type"] == "new_message"
            found = told(bob)
            assert found["starling_chat_sockets"] == found["starling_chat_topics"] == 1
            assert found["starling_broker_up"] == 1
            assert found["starling_broker_received_total"] >= 3
            await eventually(lambda: told(bob)["starling_broker_lag_seconds"] > 0)
        assert told(ada)["starling_broker_published_total"] >= 3
        assert told(ada)["starling_broker_reconnects_total"] == 0
        assert told(ada)["starling_chat_sockets"] == 0


def told(who: Person) -> dict[str, float]:
    """What /metrics tells of the chat, by name."""
    service = who.running.env.service(ChatService)
    found = numbers(service.realtime, service.parts.presence)
    return {family.name: family.samples[0].value for family in found}


async def test_events_whose_word_was_lost_are_caught_up_and_counted(database_url: str) -> None:
    async with two_workers(database_url) as (ada, bob):
        chat_id = await ada.group(bob)
        async with bob.listening(chat_id) as socket:
            # As when the worker is killed between the commit and the word of it.
            ada.running.env.service(ChatService).realtime.publish = lambda envelopes: None  # type: ignore[method-assign]
            said = await ada.say(chat_id)
            assert (await socket.hear())["message"] == said
        assert told(bob)["starling_events_caught_up_total"] == 1
