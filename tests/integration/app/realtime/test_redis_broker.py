"""What only the broker on Redis has to stand: connections that end or hang, servers that are none, large
payloads.
"""

import asyncio
import contextlib
import itertools
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from app.realtime import Envelope, Head, Realtime
from app.realtime.broker.redis import RedisBroker
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from orm.errors import Unavailable
from tests.integration.app.realtime.conftest import Start
from tests.integration.app.realtime.recorder import Recorder, Wire
from tests.integration.app.realtime.redis_server import RedisServer, cluster
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
            wire.thaw(cut=True)
            await eventually(lambda: broker.health() is None)
            assert recorder.gaps >= round_
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
        wire.thaw(cut=True)
        await eventually(lambda: Head("chat:5", 2) in recorder.messages)
        assert {message.seq for message in recorder.messages} == {2}
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


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"-NOAUTH Authentication required.\r\n" * 10,
        b"$abc\r\n",
        b"x" * 100_000,
        b"*1\r\n$5\r\nhe",
    ],
)
async def test_a_server_that_is_none_is_refused_at_the_start(text: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the broker has left
            writer.write(text)
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    broker = RedisBroker(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}", open_seconds=0.3)
    with pytest.raises(Unavailable, match="PUBSUB__URL"):
        await broker.start(Recorder())
    await broker.stop()
    listening.close()


async def test_a_strangers_payload_is_a_gap_and_nothing_else(
    redis_url: str, redis_channel: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    broker = RedisBroker(redis_url, channel=redis_channel)
    recorder = await start(broker)
    async with Redis.from_url(redis_url) as stranger:
        await stranger.publish(redis_channel, "hello there")
    broker.publish([event(1)])
    await eventually(lambda: recorder.seqs == [1])
    assert recorder.gaps == 1
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("change", [("starling:", "starling:no"), ("?ssl_ca_certs=", "?ssl_ca_certs=/no")])
async def test_a_wrong_password_or_certificate_is_refused_at_the_start(
    secured_redis_url: str, redis_channel: str, change: tuple[str, str]
) -> None:
    broker = RedisBroker(secured_redis_url.replace(*change), channel=redis_channel)
    with pytest.raises(Unavailable, match="PUBSUB__URL"):
        await broker.start(Recorder())


async def test_a_channel_that_the_user_may_not_hear_is_refused_at_the_start(secured_redis_url: str) -> None:
    broker = RedisBroker(secured_redis_url, channel="another")
    with pytest.raises(Unavailable, match="no permissions"):
        await broker.start(Recorder())


async def test_a_connection_that_hears_nothing_is_found_while_much_is_sent(
    redis_url: str, redis_channel: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_answer(self: object) -> None:
        """The ping goes where nobody answers."""

    broker = RedisBroker(redis_url, channel=redis_channel, ping_seconds=0.05, answer_seconds=0.2)
    recorder = await start(broker)
    monkeypatch.setattr("redis.asyncio.client.PubSub.ping", no_answer)
    for seq in itertools.count(1):
        broker.publish([event(seq)])
        await asyncio.sleep(0)
        if recorder.gaps:
            break


# -- several servers


async def test_who_loses_his_node_of_a_cluster_goes_on_at_another(
    tmp_path: Path, redis_channel: str, start: Start
) -> None:
    with cluster(tmp_path) as nodes:
        urls = [f"redis://127.0.0.1:{node.port}" for node in nodes]
        moving = RedisBroker(",".join(urls[:2]), channel=redis_channel)
        staying = RedisBroker(urls[2], channel=redis_channel)
        recorders = [await start(moving), await start(staying)]
        nodes[0].kill()
        await eventually(lambda: recorders[0].gaps == 1 and moving.health() is None)
        moving.publish([event(1)])
        staying.publish([event(2)])
        for recorder in recorders:
            await eventually(lambda one=recorder: sorted(one.seqs) == [1, 2])  # type: ignore[misc]
        await moving.stop()
        await staying.stop()


async def test_a_primary_that_becomes_a_replica_is_left_for_the_new_one(
    tmp_path: Path, redis_channel: str, start: Start
) -> None:
    with RedisServer(tmp_path / "one") as one, RedisServer(tmp_path / "other") as other:
        other.ask("REPLICAOF", "127.0.0.1", str(one.port))
        urls = ", ".join(f"redis://127.0.0.1:{port}" for port in (other.port, one.port))
        brokers = [RedisBroker(urls, channel=redis_channel, ping_seconds=0.05) for _ in range(2)]
        recorders = [await start(broker) for broker in brokers]
        brokers[0].publish([event(1)])
        await eventually(lambda: recorders[1].seqs == [1])
        other.ask("REPLICAOF", "NO", "ONE")
        one.ask("REPLICAOF", "127.0.0.1", str(other.port))
        await eventually(lambda: all(recorder.gaps for recorder in recorders))
        await eventually(lambda: all(broker.health() is None for broker in brokers))
        brokers[0].publish([event(2)])
        await eventually(lambda: 2 in recorders[1].seqs)
        for broker in brokers:
            await broker.stop()


async def test_a_replica_alone_is_refused_at_the_start(tmp_path: Path, redis_channel: str) -> None:
    with RedisServer(tmp_path / "one") as one, RedisServer(tmp_path / "other") as other:
        other.ask("REPLICAOF", "127.0.0.1", str(one.port))
        broker = RedisBroker(f"redis://127.0.0.1:{other.port}", channel=redis_channel)
        with pytest.raises(Unavailable, match="replica"):
            await broker.start(Recorder())
