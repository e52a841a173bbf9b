"""What every broker promises, on each of them."""

from collections.abc import Callable

import msgspec
import pytest

from app.realtime.broker import Broker
from app.realtime.events import Envelope, Head
from tests.integration.app.realtime.conftest import Start
from tests.support.eventually import eventually

MakeBrokers = Callable[[], list[Broker]]


def event(seq: int | None, *, topic: str = "chat:5", body: str = "hello") -> Envelope:
    return Envelope(topic, seq, msgspec.json.encode({"seq": seq, "body": body}))


async def test_an_event_arrives_once_in_every_process_the_publishing_one_included(
    make_brokers: MakeBrokers, start: Start
) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    sent = [
        Envelope("chat:5", 7, '{"body":"жди\\u0000 😀"}'.encode(), ends=(1, 2), joins=(3,)),
        Envelope("chat:ж", None, b'{"type": "typing"}'),
        Envelope("", None, b"[]", to_users=(4, 5)),
    ]
    brokers[0].publish(sent)
    for recorder in recorders:
        await recorder.got(3)
        assert recorder.messages == sent
        assert recorder.gaps == 0


async def test_events_of_one_process_arrive_in_order(make_brokers: MakeBrokers, start: Start) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    for first in range(1, 5_001, 10):
        brokers[0].publish([event(seq) for seq in range(first, first + 10)])
    for recorder in recorders:
        await recorder.got(5_000)
        assert recorder.seqs == list(range(1, 5_001))


async def test_all_processes_can_publish_at_a_time(make_brokers: MakeBrokers, start: Start) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    for seq in range(1, 101):
        for number, broker in enumerate(brokers):
            broker.publish([event(seq, topic=f"chat:{number}")])
    for recorder in recorders:
        await recorder.got(100 * len(brokers))
        for number in range(len(brokers)):
            of_one = [message.seq for message in recorder.messages if message.topic == f"chat:{number}"]
            assert of_one == list(range(1, 101))


@pytest.mark.parametrize("size", [7_000, 7_900, 8_000, 100_000])
async def test_a_durable_event_of_any_size_arrives_whole_or_as_its_head(
    make_brokers: MakeBrokers, start: Start, size: int
) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    large = Envelope("chat:5", 1, msgspec.json.encode("ж" * (size // 2)), joins=(3,))
    brokers[0].publish([large, event(2)])
    for recorder in recorders:
        await recorder.got(2)
        assert recorder.messages[0] in (large, Head("chat:5", 1, (3,)))
        assert recorder.messages[1] == event(2)


async def test_an_ephemeral_event_of_any_size_arrives_whole(make_brokers: MakeBrokers, start: Start) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    sent = [event(None, body="ж" * 50_000), event(None, body="y" * 10_000), event(None)]
    brokers[0].publish(sent)
    for recorder in recorders:
        await recorder.got(3)
        assert recorder.messages == sent


async def test_nobody_is_called_from_within_publish(make_brokers: MakeBrokers, start: Start) -> None:
    brokers = make_brokers()
    recorder = await start(brokers[0])
    brokers[0].publish([event(1)])
    assert recorder.messages == []
    await eventually(lambda: recorder.messages)


async def test_what_is_published_before_the_start_waits_for_it(
    make_brokers: MakeBrokers, start: Start
) -> None:
    broker = make_brokers()[0]
    broker.publish([event(1)])
    recorder = await start(broker)
    await eventually(lambda: recorder.seqs == [1])


async def test_what_waits_when_it_is_stopped_is_sent(make_brokers: MakeBrokers, start: Start) -> None:
    brokers = make_brokers()
    recorders = [await start(broker) for broker in brokers]
    brokers[0].publish([event(seq) for seq in range(1, 1_001)])
    await brokers[0].stop()
    await eventually(lambda: recorders[-1].seqs == list(range(1, 1_001)))


async def test_it_stops_twice_and_without_a_start_and_drops_what_comes_afterwards(
    make_brokers: MakeBrokers, start: Start
) -> None:
    broker, *others = make_brokers()
    assert broker.health() is not None
    recorder = await start(broker)
    assert broker.health() is None
    await broker.stop()
    await broker.stop()
    assert broker.health() is not None
    broker.publish([event(1)])
    assert recorder.messages == []
    for other in others:
        await other.stop()
