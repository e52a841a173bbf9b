"""Reading a server's frames, and the mark of a message."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from app.realtime.direct import text_frame
from tests.bench.realtime.wire import (
    CLOSE,
    MARK_BYTES,
    PING,
    TEXT,
    client_frame,
    handshake,
    mark,
    split,
    take,
)

NOW = 1_234_567_890_123_456_789


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_all_lengths_are_split(size: int) -> None:
    payload = b"x" * size
    data = text_frame(payload) + b"\x89\x01!" + b"\x88\x00"

    assert split(data) == ([(TEXT, payload), (PING, b"!"), (CLOSE, b"")], b"")


@pytest.mark.parametrize("kept", [1, 3, 100, 129])
def test_what_is_not_whole_is_left_for_later(kept: int) -> None:
    first, second = text_frame(b"a"), text_frame(b"y" * 126)

    assert split(first + second[:kept]) == ([(TEXT, b"a")], second[:kept])


def test_a_mark_says_when_and_which() -> None:
    said = mark(NOW, 42)

    assert len(said) == MARK_BYTES
    taken = take(text_frame(b'{"body":"' + said.encode() + b'xx"}') + text_frame(said.encode()))
    assert (taken.numbers, taken.sent_ns) == ((42, 42), (NOW, NOW))


def test_texts_without_a_mark_and_control_frames_are_others() -> None:
    taken = take(text_frame(b"2") + b"\x89\x01!" + b"\x81")

    assert taken == ((), (), ((TEXT, b"2"), (PING, b"!")), b"\x81")


@pytest.mark.parametrize("size", [0, 125, 126, 300])
def test_a_frame_of_ours_is_one_of_a_client(size: int) -> None:
    reader = StreamReader()
    reader.feed_data(client_frame(TEXT, b"x" * size))

    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert done.value.value == Frame(Opcode.TEXT, b"x" * size)


def test_a_handshake_offers_subprotocols_where_there_are_any() -> None:
    assert b"\r\nSec-WebSocket-Protocol: a, b\r\n" in handshake("/ws", "a, b")
    assert b"Protocol" not in handshake("/ws", None)
