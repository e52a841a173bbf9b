from collections.abc import Sequence

import pytest

from app.core.errors import StartError
from app.realtime import Envelope, MemoryBroker, PostgresBroker, Realtime, make_broker
from app.realtime.broker import Listener
from app.realtime.broker.redis import RedisBroker
from app.realtime.settings import PubSubSettings
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from orm.errors import DatabaseUnavailable
from tests.support.eventually import eventually


async def no_connection() -> None:
    raise AssertionError("nobody asked for a connection")


async def test_what_is_published_reaches_the_subscribers(log: MemoryEventLog) -> None:
    realtime = Realtime(MemoryBroker(), {"chat": log})
    await realtime.start()
    assert realtime.health() is None
    receiver = RecordingReceiver()
    realtime.hub.connect(receiver, 1)
    realtime.hub.subscribe(receiver, "chat:5", seq=0, greeting=b"{}")
    realtime.publish([log.append("chat:5"), log.append("chat:5")])
    await eventually(lambda: receiver.frames == [b"{}", *(e.frame for e in log._events["chat:5"])])
    await realtime.stop()
    await realtime.stop()
    assert realtime.health() == "the broker is not running"


async def test_two_of_them_stand_side_by_side() -> None:
    logs = [MemoryEventLog(), MemoryEventLog()]
    both = [Realtime(MemoryBroker(), {"chat": log}) for log in logs]
    receivers = [RecordingReceiver(), RecordingReceiver()]
    for realtime, receiver in zip(both, receivers, strict=True):
        await realtime.start()
        realtime.hub.connect(receiver, 1)
        realtime.hub.subscribe(receiver, "chat:5", seq=0, greeting=b"{}")
    event = logs[0].append("chat:5", payload="only here")
    both[0].publish([event])
    await eventually(lambda: receivers[0].frames == [b"{}", event.frame])
    assert receivers[1].frames == [b"{}"]
    for realtime in both:
        await realtime.stop()


async def test_a_broker_that_cannot_start_leaves_nothing_running(log: MemoryEventLog) -> None:
    class Dead(MemoryBroker):
        async def start(self, listener: Listener) -> None:
            raise DatabaseUnavailable("away")

    realtime = Realtime(Dead(), {"chat": log})
    with pytest.raises(DatabaseUnavailable):
        await realtime.start()
    assert len(realtime.hub._tasks) == 0


async def test_trouble_of_the_broker_and_of_the_hub_are_both_told(log: MemoryEventLog) -> None:
    class Lost(MemoryBroker):
        trouble: str | None = "lost"

        def health(self) -> str | None:
            return self.trouble

    broker = Lost()
    realtime = Realtime(broker, {"chat": log})
    await realtime.start()
    assert realtime.health() == "lost"
    broker.trouble = None
    realtime.hub.gap()
    assert realtime.health() == "events that were missed are being caught up"
    await eventually(lambda: realtime.health() is None)
    await realtime.stop()


async def test_a_process_can_stop_without_having_started(log: MemoryEventLog) -> None:
    realtime = Realtime(MemoryBroker(), {"chat": log})
    envelopes: Sequence[Envelope] = [log.append("chat:5")]
    await realtime.stop()
    realtime.publish(envelopes)


def test_the_broker_is_the_one_of_the_settings() -> None:
    assert isinstance(make_broker(PubSubSettings(backend="memory"), connect=no_connection), MemoryBroker)
    assert isinstance(make_broker(PubSubSettings(backend="postgres"), connect=no_connection), PostgresBroker)
    settings = PubSubSettings(backend="redis", url="redis://x,rediss://y")
    assert isinstance(make_broker(settings, connect=no_connection), RedisBroker)


def test_the_broker_on_redis_wants_its_client_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.realtime.broker.find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"starling\[redis\]"):
        make_broker(PubSubSettings(backend="redis", url="redis://x"), connect=no_connection)
