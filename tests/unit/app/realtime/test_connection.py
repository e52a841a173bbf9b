import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest

from app.realtime.close_codes import CloseCode
from app.realtime.connection import TRANSPORT_EXTENSION, Connection, transport_of
from app.realtime.events import Frame, Run
from tests.support.eventually import eventually


class Peer:
    """The server's side of ASGI: what was sent, what will be received, and a pipe that can be full. It is its
    own transport, of a server that is not known.
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_writable = asyncio.Event()
        self.is_writable.set()
        self.failure: Exception | None = None
        self.is_aborted = False
        self.written: list[bytes] = []
        self.buffered = 0
        self.is_ending = False

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send(self, message: Any) -> None:
        await self.is_writable.wait()
        if self.failure is not None:
            raise self.failure
        self.sent.append(message)

    def abort(self) -> None:
        self.is_aborted = True

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def is_closing(self) -> bool:
        return self.is_ending

    def get_protocol(self) -> asyncio.BaseProtocol:
        return asyncio.Protocol()

    def says(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    def leaves(self, code: int | None = 1000) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    @property
    def close(self) -> dict[str, Any] | None:
        return self.sent[-1] if self.sent and self.sent[-1]["type"] == "websocket.close" else None


@pytest.fixture
def peer() -> Peer:
    return Peer()


def connected(peer: Peer, **options: Any) -> Connection:
    return Connection(peer.receive, peer.send, transport=peer, **options)


# -- the life of a socket


async def test_accept_answers_the_handshake_with_the_subprotocol(peer: Peer) -> None:
    peer.incoming.put_nowait({"type": "websocket.connect"})
    assert await connected(peer).accept("starling.v1")
    assert peer.sent == [{"type": "websocket.accept", "subprotocol": "starling.v1", "headers": []}]


async def test_accept_of_a_peer_that_is_gone_is_false(peer: Peer) -> None:
    peer.leaves(None)
    connection = connected(peer)
    assert not await connection.accept()
    assert connection.peer_code == 1006
    peer.incoming.put_nowait({"type": "websocket.connect"})
    peer.failure = OSError()
    assert not await connected(peer).accept()


async def test_texts_are_received_until_the_peer_leaves(peer: Peer) -> None:
    connection = connected(peer)
    peer.says("one")
    peer.says("two")
    peer.leaves(1001)
    assert [await connection.receive() for _ in range(4)] == ["one", "two", None, None]
    assert connection.peer_code == 1001
    assert connection.closed_with is None
    connection.send_nowait(Frame(b"too late"))
    connection.close(CloseCode.DONE)
    await connection.wait_closed()
    assert peer.sent == []


async def test_a_binary_frame_is_not_the_protocol(peer: Peer) -> None:
    connection = connected(peer)
    peer.incoming.put_nowait({"type": "websocket.receive", "bytes": b"\0"})
    assert await connection.receive() is None
    await connection.wait_closed()
    assert peer.sent == [{"type": "websocket.close", "code": 4400, "reason": "that is not the protocol"}]


async def test_frames_are_written_in_order_then_the_close(peer: Peer) -> None:
    connection = connected(peer)
    connection.send_nowait(Frame(b"1"))
    connection.send_nowait(Frame("ж".encode()))
    connection.close(CloseCode.RESTART, "we are moving")
    connection.close(CloseCode.TOO_MANY)
    connection.send_nowait(Frame(b"3"))
    await connection.wait_closed()
    assert peer.texts == ["1", "ж"]
    assert peer.close == {"type": "websocket.close", "code": 1012, "reason": "we are moving"}
    assert not peer.is_aborted


async def test_close_ends_a_receive_that_waits(peer: Peer) -> None:
    connection = connected(peer)
    receiving = asyncio.create_task(connection.receive())
    await eventually(lambda: connection._reading)
    connection.close(CloseCode.UNAUTHENTICATED)
    assert await receiving is None
    await connection.wait_closed()


async def test_a_time_limit_around_receive_is_the_callers(peer: Peer) -> None:
    connection = connected(peer)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await connection.receive()
    peer.says("still here")
    assert await connection.receive() == "still here"


@pytest.mark.parametrize(
    ("error", "code"), [(None, 1000), (ZeroDivisionError, 1011), (asyncio.CancelledError, 1012)]
)
async def test_leaving_the_block_closes_the_socket(
    peer: Peer, error: type[BaseException] | None, code: int
) -> None:
    with contextlib.suppress(*([error] if error else [])):
        async with connected(peer) as connection:
            connection.send_nowait(Frame(b"1"))
            if error is not None:
                raise error
    assert [message.get("text", message.get("code")) for message in peer.sent] == ["1", code]


async def test_leaving_the_block_of_a_closed_socket_changes_nothing(peer: Peer) -> None:
    async with connected(peer) as connection:
        connection.close(CloseCode.ORIGIN)
    assert [message["code"] for message in peer.sent] == [4403]


async def test_an_idle_connection_has_no_task(peer: Peer) -> None:
    connection = connected(peer)
    connection.send_nowait(Frame(b"1"))
    await eventually(lambda: peer.sent)
    await eventually(lambda: len(asyncio.all_tasks()) == 1)
    connection.send_nowait(Frame(b"2"))
    await eventually(lambda: len(peer.sent) == 2)


# -- slow readers


def too_many_frames(connection: Connection) -> None:
    for number in range(8):
        connection.send_nowait(Frame(b"%d" % number))


def too_many_bytes(connection: Connection) -> None:
    for _ in range(3):
        connection.send_nowait(Frame(b"x" * 400))


@pytest.mark.parametrize("flood", [too_many_frames, too_many_bytes])
async def test_a_slow_reader_is_told_so_when_it_reads_again_in_time(
    peer: Peer, flood: Callable[[Connection], None]
) -> None:
    connection = connected(peer, max_queued_frames=5, max_queued_bytes=1_000)
    peer.is_writable.clear()
    connection.send_nowait(Frame(b"first"))
    await asyncio.sleep(0)  # it is in the writer's hands
    flood(connection)
    assert connection.closed_with is CloseCode.SLOW
    peer.is_writable.set()
    await connection.wait_closed()
    assert peer.texts == ["first"]
    assert peer.close is not None
    assert peer.close["code"] == 4013
    assert not peer.is_aborted


@pytest.mark.parametrize(("flood", "lost"), [(too_many_frames, 8), (too_many_bytes, 3)])
async def test_what_a_slow_reader_does_not_get_is_counted(
    peer: Peer, flood: Callable[[Connection], None], lost: int
) -> None:
    connection = connected(peer, max_queued_frames=5, max_queued_bytes=1_000)
    peer.is_writable.clear()
    connection.send_nowait(Frame(b"first"))
    await asyncio.sleep(0)  # it is in the writer's hands
    flood(connection)
    connection.send_run(Run([Frame(b"too late"), Frame(b"this too")]))
    assert connection.dropped == lost + 2
    peer.is_writable.set()
    await connection.wait_closed()
    assert connection.dropped == lost + 2
    assert peer.texts == ["first"]


@pytest.mark.parametrize("code", [CloseCode.DONE, CloseCode.RESTART])
async def test_what_comes_after_another_close_was_not_dropped_for_slowness(
    peer: Peer, code: CloseCode
) -> None:
    connection = connected(peer)
    connection.send_nowait(Frame(b"in time"))
    connection.close(code)
    connection.send_nowait(Frame(b"too late"))
    await connection.wait_closed()
    assert connection.dropped == 0
    assert peer.texts == ["in time"]


async def test_a_reader_that_does_not_read_is_aborted_and_harms_no_other(peer: Peer) -> None:
    healthy_peer = Peer()
    stuck = connected(peer, max_queued_frames=5, close_seconds=0.05)
    healthy = connected(healthy_peer, max_queued_frames=5, close_seconds=0.05)
    peer.is_writable.clear()
    receiving = asyncio.create_task(stuck.receive())
    for number in range(50):
        for connection in (stuck, healthy):
            connection.send_nowait(Frame(b"%d" % number))
        await asyncio.sleep(0)
    await stuck.wait_closed()
    assert peer.is_aborted
    assert await receiving is None
    assert peer.sent == []
    await eventually(lambda: len(healthy_peer.texts) == 50)
    assert healthy.closed_with is None
    assert len(asyncio.all_tasks()) == 1


async def test_without_abort_a_stuck_socket_is_over_all_the_same(peer: Peer) -> None:
    connection = Connection(peer.receive, peer.send, close_seconds=0.01)
    peer.is_writable.clear()
    connection.send_nowait(Frame(b"1"))
    connection.close(CloseCode.RESTART)
    await connection.wait_closed()
    assert peer.sent == []


async def test_a_frame_larger_than_the_bound_passes_when_nothing_waits(peer: Peer) -> None:
    connection = connected(peer, max_queued_bytes=10)
    connection.send_nowait(Frame(b"x" * 100))
    await eventually(lambda: peer.texts)
    assert not connection.is_closing


@pytest.mark.parametrize(
    ("failure", "is_aborted", "is_logged"),
    [
        (OSError("gone"), False, False),
        (RuntimeError("closed"), True, False),
        (ValueError("a bug"), True, True),
    ],
)
async def test_a_write_that_fails_ends_the_connection(
    peer: Peer, caplog: pytest.LogCaptureFixture, failure: Exception, is_aborted: bool, is_logged: bool
) -> None:
    connection = connected(peer)
    peer.failure = failure
    connection.send_nowait(Frame(b"1"))
    await connection.wait_closed()
    assert peer.is_aborted is is_aborted
    assert any(record.levelno >= logging.ERROR for record in caplog.records) is is_logged
    assert await connection.receive() is None


# -- replays


async def test_drained_waits_until_a_quarter_of_the_queue_is_left(peer: Peer) -> None:
    connection = connected(peer, max_queued_frames=8)
    assert await connection.drained()
    peer.is_writable.clear()
    for number in range(6):
        connection.send_nowait(Frame(b"%d" % number))
    waiting = [asyncio.create_task(connection.drained()) for _ in range(2)]
    await asyncio.sleep(0)
    assert connection.is_congested
    peer.is_writable.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert not connection.is_congested


async def test_drained_is_false_when_the_connection_is_closed_meanwhile(peer: Peer) -> None:
    connection = connected(peer, max_queued_frames=8, close_seconds=0.01)
    peer.is_writable.clear()
    for number in range(6):
        connection.send_nowait(Frame(b"%d" % number))
    waiting = asyncio.create_task(connection.drained())
    await asyncio.sleep(0)
    connection.close(CloseCode.RESTART)
    assert await waiting is False
    await connection.wait_closed()


async def test_a_replay_that_stalls_closes_its_connection(peer: Peer) -> None:
    connection = connected(peer, max_queued_frames=8, stall_seconds=0.01, close_seconds=0.01)
    peer.is_writable.clear()
    for number in range(6):
        connection.send_nowait(Frame(b"%d" % number))
    assert await connection.drained() is False
    assert connection.closed_with is CloseCode.SLOW
    await connection.wait_closed()
    assert peer.is_aborted


# -- straight to the transport


@pytest.fixture
async def direct(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection that was accepted, on a transport that can be written to."""
    monkeypatch.setattr("app.realtime.connection.is_direct", lambda _: True)
    connection = connected(peer, may_be_direct=True)
    peer.incoming.put_nowait({"type": "websocket.connect"})
    assert await connection.accept()
    return connection


async def test_a_frame_is_written_at_once_when_nothing_waits(peer: Peer, direct: Connection) -> None:
    frame = Frame("ж".encode())
    direct.send_nowait(frame)
    assert peer.written == [frame.wire]
    assert len(asyncio.all_tasks()) == 1
    assert peer.texts == []


async def test_a_run_of_frames_is_one_write(peer: Peer, direct: Connection) -> None:
    frames = [Frame(b"%d" % number) for number in range(3)]
    direct.send_run(Run(frames))
    assert peer.written == [b"".join(frame.wire for frame in frames)]


async def test_a_run_of_frames_is_queued_one_by_one_where_something_waits(
    peer: Peer, direct: Connection
) -> None:
    peer.buffered = 1 << 20
    direct.send_nowait(Frame(b"0"))
    peer.buffered = 0
    direct.send_run(Run([Frame(b"1"), Frame(b"2")]))
    await eventually(lambda: peer.texts == ["0", "1", "2"])
    assert peer.written == []


async def test_no_frame_overtakes_those_that_wait(peer: Peer, direct: Connection) -> None:
    peer.is_writable.clear()
    peer.buffered = 1 << 20
    direct.send_nowait(Frame(b"1"))
    peer.buffered = 0
    direct.send_nowait(Frame(b"2"))
    assert peer.written == []
    peer.is_writable.set()
    await eventually(lambda: peer.texts == ["1", "2"])
    await eventually(lambda: len(asyncio.all_tasks()) == 1)
    direct.send_nowait(Frame(b"3"))
    assert peer.written == [Frame(b"3").wire]


async def test_a_full_transport_fills_the_queue_until_the_reader_is_cut(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.realtime.connection.is_direct", lambda _: True)
    connection = connected(peer, may_be_direct=True, max_queued_frames=5, close_seconds=0.01)
    peer.incoming.put_nowait({"type": "websocket.connect"})
    assert await connection.accept()
    peer.is_writable.clear()
    peer.buffered = 1 << 20
    too_many_frames(connection)
    assert connection.closed_with is CloseCode.SLOW
    await connection.wait_closed()
    assert peer.is_aborted
    assert peer.written == []


@pytest.mark.parametrize("end", ["we close", "the server closes", "the peer leaves"])
async def test_nothing_is_written_beside_asgi_once_the_end_has_begun(
    peer: Peer, direct: Connection, end: str
) -> None:
    if end == "we close":
        direct.close(CloseCode.RESTART)
    elif end == "the server closes":
        peer.is_ending = True
        peer.failure = OSError("gone")
    else:
        peer.leaves()
        assert await direct.receive() is None
    direct.send_nowait(Frame(b"too late"))
    direct.close(CloseCode.DONE)
    await direct.wait_closed()
    assert peer.written == []


async def test_a_transport_that_is_not_as_expected_is_only_used_to_abort(peer: Peer) -> None:
    connection = connected(peer, may_be_direct=True)
    peer.incoming.put_nowait({"type": "websocket.connect"})
    assert await connection.accept()
    connection.send_nowait(Frame(b"1"))
    await eventually(lambda: peer.texts == ["1"])
    assert peer.written == []


def test_the_transport_is_the_one_that_the_server_gives(peer: Peer) -> None:
    assert transport_of({"extensions": {TRANSPORT_EXTENSION: peer}}) is peer
    assert transport_of({"extensions": {}}) is None
    assert transport_of({}) is None
