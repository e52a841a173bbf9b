import asyncio

import pytest

from app.realtime import MemoryBroker, Realtime
from app.realtime.testing import Bus, RecordingReceiver
from tests.support.eventually import eventually


async def test_what_one_process_tells_every_process_hears_itself_included() -> None:
    bus = Bus()
    processes = [Realtime(bus.broker()) for _ in range(2)]
    heard: list[list[bytes]] = [[], []]
    for realtime, list_ in zip(processes, heard, strict=True):
        realtime.listen("prices", list_.append)  # before the start: nothing falls between
        realtime.listen("others", lambda _: pytest.fail("that is another topic"))
        await realtime.start()
    for number in range(3):
        processes[0].tell("prices", b"%d" % number)
    await eventually(lambda: all(len(one) == 3 for one in heard))
    assert heard == [[b"0", b"1", b"2"]] * 2
    for realtime in processes:
        await realtime.stop()


async def test_a_listener_that_stopped_hears_no_more_and_the_others_do() -> None:
    realtime = Realtime(MemoryBroker())
    first: list[bytes] = []
    second: list[bytes] = []
    listening = realtime.listen("prices", first.append)
    realtime.listen("prices", second.append)
    await realtime.start()
    realtime.tell("prices", b"1")
    await eventually(lambda: second == [b"1"])
    listening.stop()
    listening.stop()
    realtime.tell("prices", b"2")
    await eventually(lambda: second == [b"1", b"2"])
    assert first == [b"1"]
    await realtime.stop()


async def test_a_gap_is_told_before_anything_that_comes_after_it() -> None:
    realtime = Realtime(MemoryBroker())
    heard: list[object] = []
    realtime.listen("prices", heard.append, on_gap=lambda: heard.append("gap"))
    realtime.listen("prices", lambda _: None)
    await realtime.start()
    realtime.hub.gap()
    realtime.tell("prices", b"1")
    await eventually(lambda: len(heard) == 2)
    assert heard == ["gap", b"1"]
    await realtime.stop()


async def test_one_that_fails_is_logged_and_the_others_hear(caplog: pytest.LogCaptureFixture) -> None:
    realtime = Realtime(MemoryBroker())
    heard: list[bytes] = []

    def fail(_: bytes = b"") -> None:
        raise ZeroDivisionError

    realtime.listen("prices", fail, on_gap=fail)
    realtime.listen("prices", heard.append)
    await realtime.start()
    realtime.hub.gap()
    realtime.tell("prices", b"1")
    await eventually(lambda: heard == [b"1"])
    assert caplog.text.count("a listener of prices failed") == 2
    await realtime.stop()


async def test_a_socket_that_is_subscribed_hears_what_is_told_too() -> None:
    realtime = Realtime(MemoryBroker())
    await realtime.start()
    receiver = RecordingReceiver()
    realtime.hub.connect(receiver, 1)
    realtime.hub.subscribe(receiver, "prices", seq=0, greeting=b"{}")
    realtime.tell("prices", b'{"a":1}')
    await eventually(lambda: receiver.frames == [b"{}", b'{"a":1}'])
    await realtime.stop()


async def test_a_kind_of_topic_has_one_log(caplog: pytest.LogCaptureFixture) -> None:
    realtime = Realtime(MemoryBroker())
    realtime.keep("chat", object())  # type: ignore[arg-type]  # nobody reads it
    with pytest.raises(ValueError, match="chat"):
        realtime.keep("chat", object())  # type: ignore[arg-type]
    await asyncio.sleep(0)
