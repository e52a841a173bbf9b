import asyncio
import itertools
from collections.abc import Sequence

import pytest

from app.realtime.events import Envelope, Message
from app.realtime.inbox import BURST_MESSAGES, Inbox
from tests.support.eventually import eventually


def event(seq: int, size: int = 2, *, topic: str = "chat:5") -> Envelope:
    return Envelope(topic, seq, b"x" * size)


class Told:
    """What an inbox told, a list for each time."""

    def __init__(self) -> None:
        self.runs: list[list[Message]] = []

    def __call__(self, messages: Sequence[Message]) -> None:
        self.runs.append(list(messages))

    @property
    def messages(self) -> list[Message]:
        return list(itertools.chain.from_iterable(self.runs))


async def test_messages_are_told_in_order_a_burst_at_a_time() -> None:
    told = Told()
    inbox = Inbox(told)
    sent = [event(seq) for seq in range(BURST_MESSAGES * 2 + 1)]
    assert all(inbox.put(message) for message in sent)
    assert told.runs == []
    await eventually(lambda: len(told.messages) == len(sent))
    assert told.messages == sent
    assert [len(run) for run in told.runs] == [BURST_MESSAGES, BURST_MESSAGES, 1]


async def test_messages_of_one_topic_are_told_together() -> None:
    told = Told()
    inbox = Inbox(told)
    for seq in range(3):
        inbox.put(event(seq, topic="chat:5"))
        inbox.put(event(seq, topic="chat:6"))
    await eventually(lambda: told.runs)
    assert [[(one.topic, one.seq) for one in run] for run in told.runs] == [
        [("chat:5", 0), ("chat:5", 1), ("chat:5", 2)],
        [("chat:6", 0), ("chat:6", 1), ("chat:6", 2)],
    ]


async def test_after_a_long_burst_it_rests_so_that_others_get_as_much_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told()
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)

    def slow(messages: Sequence[Message]) -> None:
        nonlocal now
        told(messages)
        now += 0.005

    inbox = Inbox(slow)
    inbox.put(event(1))
    await asyncio.sleep(0)
    inbox.put(event(2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [one.seq for one in told.messages] == [1]
    now += 0.006
    for _ in range(5):
        await asyncio.sleep(0)
    assert [one.seq for one in told.messages] == [1, 2]
    inbox.close()


async def test_large_messages_make_smaller_bursts() -> None:
    told = Told()
    inbox = Inbox(told)
    for seq in range(4):
        inbox.put(event(seq, 200_000))
    await eventually(lambda: len(told.messages) == 4)
    assert [len(run) for run in told.runs] == [2, 2]


async def test_what_does_not_fit_is_dropped_and_said_so() -> None:
    told = Told()
    inbox = Inbox(told, max_waiting=2)
    assert [inbox.put(event(seq)) for seq in range(3)] == [True, True, False]
    await eventually(lambda: len(told.messages) == 2)
    assert inbox.put(event(3))


async def test_a_topic_that_cannot_be_told_is_logged_and_the_others_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told()

    def tell(messages: Sequence[Message]) -> None:
        if messages[0].topic == "chat:6":
            raise ZeroDivisionError
        told(messages)

    inbox = Inbox(tell)
    for topic in ("chat:5", "chat:6", "chat:7"):
        inbox.put(event(1, topic=topic))
    await eventually(lambda: len(told.runs) == 2)
    assert "events of chat:6 could not be told" in caplog.text


async def test_once_closed_nothing_is_told() -> None:
    told = Told()
    inbox = Inbox(told)
    inbox.put(event(1))
    inbox.close()
    inbox.close()
    assert inbox.put(event(2))
    await asyncio.sleep(0)
    assert told.runs == []
