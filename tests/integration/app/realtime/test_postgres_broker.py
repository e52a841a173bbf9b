"""What only the broker on PostgreSQL has to stand: its connection ends, hangs, or cannot be had."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import msgspec
import pytest

from app.realtime import Envelope, Head, PostgresBroker, Realtime
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from orm.errors import DatabaseUnavailable, Unavailable
from tests.integration.app.realtime.conftest import Connect, Start
from tests.integration.app.realtime.recorder import Recorder, Wire
from tests.support.eventually import eventually


def event(seq: int | None, *, topic: str = "chat:5", body: str = "hello") -> Envelope:
    return Envelope(topic, seq, msgspec.json.encode({"seq": seq, "body": body}))


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def backends(admin: asyncpg.Connection) -> list[int]:
    rows = await admin.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'broker' AND datname = current_database()"
    )
    return [row["pid"] for row in rows]


async def channel(admin: asyncpg.Connection) -> str:
    return f"starling.{await admin.fetchval('SELECT current_schema()')}"


async def terminate_all(admin: asyncpg.Connection) -> None:
    for pid in await backends(admin):
        await admin.execute("SELECT pg_terminate_backend($1)", pid)


async def test_a_process_takes_one_connection(
    connect: Connect, start: Start, admin: asyncpg.Connection
) -> None:
    broker = PostgresBroker(connect)
    recorder = await start(broker)
    broker.publish([event(1)])
    await eventually(lambda: recorder.messages)
    assert len(await backends(admin)) == 1
    await broker.stop()
    async with asyncio.timeout(10):
        while await backends(admin):  # noqa: ASYNC110  # it ends a moment after its connection
            await asyncio.sleep(0.01)


async def test_channels_do_not_hear_each_other(connect: Connect, start: Start) -> None:
    one, other = PostgresBroker(connect, channel="one"), PostgresBroker(connect, channel='an "other"')
    recorders = [await start(one), await start(other)]
    one.publish([event(1)])
    other.publish([event(2)])
    await eventually(lambda: all(recorder.messages for recorder in recorders))
    assert [recorder.seqs for recorder in recorders] == [[1], [2]]


@pytest.mark.parametrize("names", [("left", "right"), ("x" * 62 + "1", "x" * 62 + "2")])
async def test_schemas_of_one_database_do_not_hear_each_other(
    database_url: str, admin: asyncpg.Connection, start: Start, names: tuple[str, str]
) -> None:
    brokers, recorders = [], []
    for name in names:
        await admin.execute(f'CREATE SCHEMA "{name}"')
        connect = partial(asyncpg.connect, database_url, server_settings={"search_path": name})
        for _ in range(2):
            broker = PostgresBroker(connect)
            brokers.append(broker)
            recorders.append(await start(broker))
    brokers[0].publish([event(1)])
    brokers[2].publish([event(2)])
    await eventually(lambda: all(recorder.messages for recorder in recorders))
    assert [recorder.seqs for recorder in recorders] == [[1], [1], [2], [2]]
    for broker in brokers:
        await broker.stop()
    for name in names:
        await admin.execute(f'DROP SCHEMA "{name}"')


@pytest.mark.parametrize("channel", ["", "ж" * 21])
def test_a_channel_name_that_postgres_would_cut_is_refused(connect: Connect, channel: str) -> None:
    with pytest.raises(ValueError, match="1 to 40 bytes"):
        PostgresBroker(connect, channel=channel)


async def test_after_its_backend_was_ended_it_listens_again_says_so_and_is_healthy(
    connect: Connect, start: Start, admin: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    broker = PostgresBroker(connect)
    recorder = await start(broker)
    health_at_gap: list[str | None] = []
    recorder.gap = lambda: health_at_gap.append(broker.health())  # type: ignore[method-assign]
    for round_ in range(1, 4):
        await terminate_all(admin)
        await eventually(lambda: broker.health() is not None)
        await eventually(lambda: broker.health() is None)
        broker.publish([event(round_)])
        await recorder.got(round_)
        assert recorder.seqs == list(range(1, round_ + 1))
    assert health_at_gap == ["the connection that carries events between processes is lost"] * 3
    assert "has no connection" in caplog.text


async def test_what_is_published_while_it_is_away_arrives_as_heads_and_ephemeral_events_are_gone(
    connect: Connect, start: Start, admin: asyncpg.Connection
) -> None:
    may_connect = asyncio.Event()
    may_connect.set()

    async def held_connect() -> asyncpg.Connection:
        await may_connect.wait()
        return await connect()

    broker = PostgresBroker(held_connect)
    recorder = await start(broker)
    may_connect.clear()
    await terminate_all(admin)
    await eventually(lambda: broker.health() is not None)
    broker.publish([event(1), event(None), event(2), event(9, topic="chat:6")])
    may_connect.set()
    await eventually(lambda: len(recorder.messages) == 2)
    assert recorder.messages == [Head("chat:5", 2), Head("chat:6", 9)]
    broker.publish([event(3)])
    await eventually(lambda: recorder.messages[2:] == [event(3)])


async def test_a_connection_that_is_open_but_dead_is_found_and_replaced(
    database_url: str, start: Start
) -> None:
    async with Wire(database_url) as wire:
        broker = PostgresBroker(wire.connect, ping_seconds=0.05, answer_seconds=0.5)
        recorder = await start(broker)
        wire.freeze()
        await eventually(lambda: broker.health() is not None)
        wire.thaw(cut=True)
        await eventually(lambda: broker.health() is None)
        assert recorder.gaps >= 1
        assert wire.connections >= 2
        broker.publish([event(1)])
        await eventually(lambda: 1 in recorder.seqs)
        await broker.stop()


async def test_events_that_hang_on_a_dead_connection_are_told_by_their_heads(
    database_url: str, start: Start
) -> None:
    async with Wire(database_url) as wire:
        broker = PostgresBroker(wire.connect, answer_seconds=0.5)
        recorder = await start(broker)
        wire.freeze()
        broker.publish([event(1), event(2)])
        await eventually(lambda: broker.health() is not None)
        wire.thaw(cut=True)
        await eventually(lambda: Head("chat:5", 2) in recorder.messages)
        await broker.stop()


async def test_a_start_that_cannot_connect_says_so_and_leaves_nothing(start: Start) -> None:
    async def refused() -> asyncpg.Connection:
        return await asyncpg.connect("postgresql://nobody@127.0.0.1:1/nothing")

    broker = PostgresBroker(refused)
    with pytest.raises(DatabaseUnavailable, match="LISTEN and NOTIFY"):
        await start(broker)
    assert broker.health() is not None
    assert len(asyncio.all_tasks()) == 1


async def test_a_start_that_is_stopped_meanwhile_does_not_hang() -> None:
    is_connecting = asyncio.Event()

    async def never() -> asyncpg.Connection:
        is_connecting.set()
        await asyncio.Event().wait()

    broker = PostgresBroker(never)
    starting = asyncio.create_task(broker.start(Recorder()))
    await is_connecting.wait()
    await broker.stop()
    with pytest.raises(Unavailable, match="stopped while it started"):
        await starting


async def test_a_start_that_fails_by_a_mistake_of_ours_shows_the_mistake(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def mistaken() -> asyncpg.Connection:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await start(PostgresBroker(mistaken))
    assert "the broker failed" in caplog.text


async def test_stop_does_not_wait_for_a_database_that_is_away(
    connect: Connect, start: Start, admin: asyncpg.Connection
) -> None:
    tries = 0

    async def once() -> asyncpg.Connection:
        nonlocal tries
        tries += 1
        if tries > 1:
            await asyncio.Event().wait()
        return await connect()

    broker = PostgresBroker(once)
    await start(broker)
    await terminate_all(admin)
    await eventually(lambda: tries == 2)
    broker.publish([event(1)])
    async with asyncio.timeout(3):
        await broker.stop()


async def test_a_strangers_payload_is_a_gap_and_nothing_else(
    connect: Connect, start: Start, admin: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    broker = PostgresBroker(connect)
    recorder = await start(broker)
    await admin.execute("SELECT pg_notify($1, 'hello there')", await channel(admin))
    broker.publish([event(1)])
    await eventually(lambda: recorder.seqs == [1])
    assert recorder.gaps == 1
    assert "cannot be read" in caplog.text


async def test_events_that_gather_go_together(
    connect: Connect, start: Start, admin: asyncpg.Connection
) -> None:
    broker = PostgresBroker(connect)
    payloads: list[str] = []
    await admin.add_listener(await channel(admin), lambda *notification: payloads.append(notification[3]))
    recorder = await start(broker)
    for seq in range(1, 201):
        broker.publish([event(seq)])
    await eventually(lambda: len(recorder.messages) == 200)
    await eventually(lambda: payloads)
    assert len(payloads) <= 3
    assert all(len(payload.encode()) <= 7_900 for payload in payloads)


# -- through the hub: nothing is lost


async def process(connect: Connect, log: MemoryEventLog) -> tuple[Realtime, RecordingReceiver]:
    """A process of a deployment: its realtime part, and somebody who listens to chat:5."""
    realtime = Realtime(PostgresBroker(connect), {"chat": log})
    await realtime.start()
    receiver = RecordingReceiver()
    realtime.hub.connect(receiver, 1)
    realtime.hub.subscribe(receiver, "chat:5", seq=0, greeting=b"{}")
    return realtime, receiver


async def told(receiver: RecordingReceiver, events: int) -> None:
    await eventually(lambda: len(receiver.frames) > events)  # the greeting is one more


async def healthy(realtime: Realtime) -> None:
    await eventually(lambda: realtime.health() is None)


async def test_two_processes_that_post_into_one_topic_make_one_order(connect: Connect) -> None:
    log = MemoryEventLog()
    processes = [await process(connect, log) for _ in range(2)]
    for number in range(600):
        body = "x" * 9_000 if number % 50 == 0 else "x"
        processes[number % 2][0].publish([log.append("chat:5", payload=body)])
        if number % 7 == 0:
            await asyncio.sleep(0.001)
    for _, receiver in processes:
        await told(receiver, 600)
        assert receiver.seqs("chat:5") == list(range(1, 601))
    for realtime, _ in processes:
        await realtime.stop()


async def test_nothing_is_lost_while_connections_are_ended_again_and_again(
    connect: Connect, admin: asyncpg.Connection
) -> None:
    log = MemoryEventLog()
    processes = [await process(connect, log) for _ in range(2)]
    for number in range(1, 301):
        processes[number % 2][0].publish([log.append("chat:5")])
        if number % 60 == 0:
            await terminate_all(admin)
        await asyncio.sleep(0.002)
    for realtime, receiver in processes:
        await told(receiver, 300)
        await healthy(realtime)
        assert receiver.seqs("chat:5") == list(range(1, 301))
        assert receiver.closed_with is None
    for realtime, _ in processes:
        await realtime.stop()
