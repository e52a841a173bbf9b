"""What the hub counts: each event once for each connection that it was handed to, by whatever way."""

import asyncio
from typing import Any

from app.realtime.close_codes import CloseCode
from app.realtime.connection import Connection
from app.realtime.events import Envelope
from app.realtime.hub import Hub
from app.realtime.hub_numbers import HubNumbers
from app.realtime.testing import MemoryEventLog, RecordingReceiver
from tests.support.eventually import eventually

ADA, BOB, EVE = 1, 2, 3
GREETING = b"{}"
RESET = b'{"type":"reset"}'


def joined(hub: Hub, user_id: int, *topics: str) -> RecordingReceiver:
    """A connection of the user, subscribed to these topics; the greetings are forgotten."""
    receiver = RecordingReceiver()
    hub.connect(receiver, user_id)
    for topic in topics:
        hub.subscribe(receiver, topic, seq=0, greeting=GREETING)
    receiver.frames.clear()
    return receiver


async def test_nothing_is_counted_before_anything_is_told(hub: Hub) -> None:
    joined(hub, ADA, "chat:5")
    assert hub.numbers == HubNumbers()


async def test_an_event_counts_for_each_connection_that_gets_it(hub: Hub, log: MemoryEventLog) -> None:
    heard = [joined(hub, user_id, "chat:5") for user_id in (ADA, BOB, EVE)]
    joined(hub, EVE, "chat:6")
    for _ in range(4):  # they arrive together, and are one run
        hub.receive(log.append("chat:5"))
    await eventually(lambda: all(len(one.frames) == 4 for one in heard))
    assert hub.numbers == HubNumbers(told=12)


async def test_what_is_not_kept_counts_as_well(hub: Hub) -> None:
    first, second = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    stranger = joined(hub, EVE)
    hub.receive(Envelope("chat:5", None, b"{}"))
    hub.receive(Envelope("", None, b"{}", to_users=(EVE, ADA)))
    await eventually(lambda: stranger.frames)
    assert hub.numbers.told == len(first.frames + second.frames + stranger.frames) == 4
    assert hub.tell_here("chat:5", b"{}", besides=ADA) == 1
    assert hub.numbers.told == 5


async def test_events_that_were_read_in_the_log_count_as_well(hub: Hub, log: MemoryEventLog) -> None:
    for _ in range(3):
        log.append("chat:5")
    receiver = RecordingReceiver()
    hub.connect(receiver, ADA)
    hub.subscribe(receiver, "chat:5", seq=3, since=0, greeting=GREETING, reset=RESET)
    await eventually(lambda: receiver.seqs("chat:5") == [1, 2, 3])
    assert hub.numbers.told == 3


async def test_a_join_counts_for_the_connections_of_those_who_join(hub: Hub, log: MemoryEventLog) -> None:
    sockets = [joined(hub, ADA), joined(hub, ADA)]
    hub.receive(log.append("chat:5", joins=(ADA,)))
    await eventually(lambda: all(one.frames for one in sockets))
    assert hub.numbers.told == 2


async def test_a_connection_that_is_cut_counts_with_what_it_did_not_get(
    hub: Hub, log: MemoryEventLog
) -> None:
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    never = asyncio.Event()

    async def send(_message: Any) -> None:
        await never.wait()

    healthy = joined(hub, BOB, "chat:5")
    slow = Connection(incoming.get, send, max_queued_frames=5, close_seconds=0.01)
    hub.connect(slow, ADA)
    hub.subscribe(slow, "chat:5", seq=0, greeting=GREETING)
    await asyncio.sleep(0)  # the greeting is in the writer's hands
    for _ in range(9):
        hub.receive(log.append("chat:5"))
    await eventually(lambda: len(healthy.frames) == 9)
    assert slow.closed_with is CloseCode.SLOW
    hub.receive(log.append("chat:5"))  # before its task has seen that it is over
    await eventually(lambda: len(healthy.frames) == 10)
    for _ in range(2):
        hub.disconnect(slow)
    assert hub.numbers == HubNumbers(told=20, dropped=10, cut=1)
    await slow.wait_closed()


async def test_a_connection_that_left_was_not_cut(hub: Hub) -> None:
    one, other = joined(hub, ADA, "chat:5"), joined(hub, BOB, "chat:5")
    hub.disconnect(one)
    hub.drain()
    hub.disconnect(other)
    assert hub.numbers == HubNumbers()
