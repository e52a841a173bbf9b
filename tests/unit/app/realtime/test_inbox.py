import asyncio

import pytest

from app.realtime.events import Envelope, Message
from app.realtime.inbox import BURST_MESSAGES, Inbox
from tests.support.eventually import eventually


def event(seq: int, size: int = 2) -> Envelope:
    return Envelope("chat:5", seq, b"x" * size)


async def test_messages_are_told_in_order_a_burst_at_a_time() -> None:
    told: list[Message] = []
    inbox = Inbox(told.append)
    sent = [event(seq) for seq in range(BURST_MESSAGES * 2 + 1)]
    assert all(inbox.put(message) for message in sent)
    assert told == []
    rounds = []
    while len(told) < len(sent):
        await asyncio.sleep(0)
        rounds.append(len(told))
    assert told == sent
    assert rounds == [BURST_MESSAGES, BURST_MESSAGES * 2, len(sent)]


async def test_large_messages_make_smaller_bursts() -> None:
    told: list[Message] = []
    inbox = Inbox(told.append)
    for seq in range(4):
        inbox.put(event(seq, 200_000))
    await asyncio.sleep(0)
    assert len(told) == 2
    await eventually(lambda: len(told) == 4)


async def test_what_does_not_fit_is_dropped_and_said_so() -> None:
    told: list[Message] = []
    inbox = Inbox(told.append, max_waiting=2)
    assert [inbox.put(event(seq)) for seq in range(3)] == [True, True, False]
    await eventually(lambda: len(told) == 2)
    assert inbox.put(event(3))


async def test_one_that_cannot_be_told_is_logged_and_the_others_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Message] = []

    def tell(message: Message) -> None:
        if message.seq == 1:
            raise ZeroDivisionError
        told.append(message)

    inbox = Inbox(tell)
    for seq in range(3):
        inbox.put(event(seq))
    await eventually(lambda: len(told) == 2)
    assert "could not be told" in caplog.text


async def test_once_closed_nothing_is_told() -> None:
    told: list[Message] = []
    inbox = Inbox(told.append)
    inbox.put(event(1))
    inbox.close()
    inbox.close()
    assert inbox.put(event(2))
    await asyncio.sleep(0)
    assert told == []
