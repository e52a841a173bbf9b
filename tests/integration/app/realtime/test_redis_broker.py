"""What only the broker on Redis has to stand: connections that end or hang, servers that are none, large
payloads.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from app.realtime import Envelope, Head, Realtime, RedisBroker
from app.realtime.broker.resp import RespConnection, RespError
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from orm.errors import Unavailable
from tests.integration.app.realtime.conftest import Start
from tests.integration.app.realtime.recorder import Recorder, Wire
from tests.support.eventually import eventually


def event(seq: int | None, *, body: str = "hello") -> Envelope:
    return Envelope("chat:5", seq, msgspec.json.encode({"seq": seq, "body": body}))


async def test_channels_do_not_hear_each_other(redis_url: str, redis_channel: str, start: Start) -> None:
    one, other = (RedisBroker(redis_url, channel=f"{redis_channel}-{name}") for name in ("one", 'an "other"'))
    recorders = [await start(one), await start(other)]
    one.publish([event(1)])
    other.publish([event(2)])
    await eventually(lambda: all(recorder.messages for recorder in recorders))
    assert [recorder.seqs for recorder in recorders] == [[1], [2]]
    with pytest.raises(ValueError, match="name"):
        RedisBroker(redis_url, channel="")


async def test_an_event_that_is_too_large_is_told_by_its_head(
    redis_url: str, redis_channel: str, start: Start
) -> None:
    brokers = [RedisBroker(redis_url, channel=redis_channel) for _ in range(2)]
    recorders = [await start(broker) for broker in brokers]
    sent = [event(1, body="ж" * 100_000), event(2, body="ж" * 400_000), event(3)]
    brokers[0].publish(sent)
    for recorder in recorders:
        await recorder.got(3)
        assert recorder.messages == [sent[0], Head("chat:5", 2), sent[2]]


@pytest.mark.parametrize("fault", ["cut", "freeze"])
async def test_after_its_connections_were_lost_it_listens_again_says_so_and_is_healthy(
    redis_url: str, redis_channel: str, start: Start, fault: str
) -> None:
    async with Wire(redis_url, default_port=6379) as wire:
        broker = RedisBroker(
            f"redis://127.0.0.1:{wire.port}", channel=redis_channel, ping_seconds=0.05, answer_seconds=0.3
        )
        recorder = await start(broker)
        for round_ in range(1, 4):
            if fault == "cut":
                wire.cut()
            else:
                wire.freeze()
            await eventually(lambda: broker.health() is not None)
            wire.thaw()
            await eventually(lambda: broker.health() is None)
            assert recorder.gaps == round_
            broker.publish([event(round_)])
            await eventually(lambda seq=round_: seq in recorder.seqs)  # type: ignore[misc]
        await broker.stop()


async def test_what_is_published_while_it_is_away_arrives_as_heads_and_ephemeral_events_are_gone(
    redis_url: str, redis_channel: str, start: Start
) -> None:
    async with Wire(redis_url, default_port=6379) as wire:
        url = f"redis://127.0.0.1:{wire.port}"
        broker = RedisBroker(url, channel=redis_channel, ping_seconds=0.05, answer_seconds=0.3)
        recorder = await start(broker)
        wire.freeze()
        await eventually(lambda: broker.health() is not None)
        broker.publish([event(1), event(None), event(2)])
        wire.thaw()
        await eventually(lambda: recorder.messages == [Head("chat:5", 2)])
        broker.publish([event(3)])
        await eventually(lambda: recorder.messages[1:] == [event(3)])
        await broker.stop()


async def test_nothing_is_lost_while_connections_are_cut_again_and_again(
    redis_url: str, redis_channel: str
) -> None:
    log = MemoryEventLog()
    async with Wire(redis_url, default_port=6379) as wire:
        receivers, processes = [], []
        for _ in range(2):
            broker = RedisBroker(f"redis://127.0.0.1:{wire.port}", channel=redis_channel)
            realtime = Realtime(broker, {"chat": log})
            await realtime.start()
            receiver = RecordingReceiver()
            realtime.hub.connect(receiver, 1)
            realtime.hub.subscribe(receiver, "chat:5", seq=0, greeting=b"{}")
            processes.append(realtime)
            receivers.append(receiver)
        for number in range(1, 301):
            processes[number % 2].publish([log.append("chat:5")])
            if number % 60 == 0:
                wire.cut()
            await asyncio.sleep(0.002)
        for receiver in receivers:
            await eventually(lambda one=receiver: len(one.frames) > 300)  # type: ignore[misc]
            assert receiver.seqs("chat:5") == list(range(1, 301))
        for realtime in processes:
            await realtime.stop()


async def test_a_start_that_cannot_connect_says_so_and_shows_no_password(start: Start) -> None:
    broker = RedisBroker("redis://user:s3cret@127.0.0.1:1")
    with pytest.raises(Unavailable, match="PUBSUB__URL") as caught:
        await start(broker)
    assert "s3cret" not in str(caught.value)
    assert broker.health() is not None
    assert len(asyncio.all_tasks()) == 1


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """The URL of a server that says what it wants."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
            await reader.read()
        except OSError:
            pass  # the broker has left
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def saying(text: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"$99999999999\r\n",
        b"$abc\r\n",
        b"x" * 100_000,
        b"*1\r\n$5\r\nhe",
    ],
)
async def test_a_server_that_is_none_is_refused_at_the_start(text: bytes) -> None:
    async with server(saying(text)) as url:
        broker = RedisBroker(url, answer_seconds=0.3)
        with pytest.raises(Unavailable, match="PUBSUB__URL"):
            await broker.start(Recorder())
        await broker.stop()


async def test_a_password_is_shown_to_the_server_first() -> None:
    got = asyncio.Queue[bytes]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.put_nowait(await reader.read(200))
        writer.write(b"-WRONGPASS\r\n")

    async with server(answer) as url:
        for user, expected in (
            ("", b"*2\r\n$4\r\nAUTH\r\n$3\r\np@w\r\n"),
            ("u", b"*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n"),
        ):
            with pytest.raises(RespError, match="WRONGPASS"):
                await RespConnection.open(url.replace("://", f"://{user}:p%40w@"))
            assert (await got.get()).startswith(expected)


async def test_a_strangers_payload_is_a_gap_and_nothing_else(
    redis_url: str, redis_channel: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    broker = RedisBroker(redis_url, channel=redis_channel)
    recorder = await start(broker)
    stranger = await RespConnection.open(redis_url)
    await stranger.ask("PUBLISH", redis_channel, "hello there")
    stranger.terminate()
    broker.publish([event(1)])
    await eventually(lambda: recorder.seqs == [1])
    assert recorder.gaps == 1
    assert "cannot be read" in caplog.text
