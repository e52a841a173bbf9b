"""What it costs to tell a socket something, counted in calls: seconds would tell of the machine."""

import asyncio
import sys
from types import FrameType
from typing import Any, Final

import pytest

from app.realtime.connection import Connection
from app.realtime.events import Envelope
from app.realtime.hub import Hub
from app.realtime.testing import MemoryEventLog

SOCKETS: Final = 200
EVENTS: Final = 20

CALLS_A_WRITE: Final = 5
"""send_nowait, whether it may be direct, what is buffered, whether it is closing, and the write."""
CALLS_A_ROUND: Final = 150
CALLS_AN_EVENT: Final = 30
"""Twice what they are, for what Python's next version calls; one call more a socket shows all the same."""
GREETING: Final = 1


class Transport:
    """Of a server that is as expected. It counts what is written to it."""

    def __init__(self) -> None:
        self.writes = 0

    def write(self, data: bytes) -> None:
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return asyncio.Protocol()

    def abort(self) -> None:
        """Nobody is cut here."""


async def connected(hub: Hub, user_id: int) -> Transport:
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        assert message["type"] == "websocket.accept"

    transport = Transport()
    connection = Connection(incoming.get, send, transport=transport, may_be_direct=True)
    assert await connection.accept()
    hub.connect(connection, user_id)
    hub.subscribe(connection, "chat:5", seq=0, greeting=b"{}")
    return transport


class Calls:
    """Counts calls of functions, those of C among them, while the block runs."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.count += event in ("call", "c_call")


@pytest.fixture
async def transports(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[Transport]:
    monkeypatch.setattr("app.realtime.connection.is_direct", lambda _: True)
    return [await connected(hub, user_id) for user_id in range(SOCKETS)]


async def calls_for(hub: Hub, events: list[Envelope]) -> int:
    """Calls in the round of the event loop in which these events, which arrive together, are told."""
    for event in events:
        hub.receive(event)
    with Calls() as calls:
        await asyncio.sleep(0)
    return calls.count


def writes(transports: list[Transport]) -> list[int]:
    return [transport.writes for transport in transports]


async def test_a_socket_costs_one_write_and_what_leads_to_it(
    hub: Hub, log: MemoryEventLog, transports: list[Transport]
) -> None:
    calls = await calls_for(hub, [log.append("chat:5")])
    assert writes(transports) == [GREETING + 1] * SOCKETS
    assert calls <= SOCKETS * CALLS_A_WRITE + CALLS_A_ROUND + CALLS_AN_EVENT


async def test_events_that_arrive_together_cost_a_socket_no_more_than_one(
    hub: Hub, log: MemoryEventLog, transports: list[Transport]
) -> None:
    calls = await calls_for(hub, [log.append("chat:5") for _ in range(EVENTS)])
    assert writes(transports) == [GREETING + 1] * SOCKETS
    assert calls <= SOCKETS * CALLS_A_WRITE + CALLS_A_ROUND + EVENTS * CALLS_AN_EVENT
