"""The far end of a socket: every wait ends with the frame, the close or the deadline."""

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.testing.socket import open_socket


async def talk(socket: WebSocket) -> None:
    """Says three things, then repeats what it hears, and closes on a word."""
    await socket.accept()
    for n in range(3):
        await socket.send_json({"type": "count", "n": n})
    async for text in socket.iter_text():
        if text == "bye":
            await socket.send_json({"type": "last"})
            await socket.close(4400)
            return
        await socket.send_text(text)


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=[WebSocketRoute("/talk", talk)])


async def test_frames_come_in_order_and_are_kept(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        assert [(await socket.next())["n"] for _ in range(2)] == [0, 1]
        assert await socket.expect("count") == {"type": "count", "n": 2}
        assert await socket.ask({"type": "again"}) == {"type": "again"}
        assert len(socket.heard) == 4


async def test_a_frame_is_expected_by_type_and_fields_and_others_are_passed_over(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        assert await socket.expect("count", n=2) == {"type": "count", "n": 2}
        assert [frame["n"] for frame in socket.heard] == [0, 1, 2]


async def test_a_frame_that_does_not_come_in_time_is_told_with_what_came(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        with pytest.raises(
            AssertionError, match=r"(?s)'type': 'news', 'n': 7\} did not come within 0.01 s.*'n': 0.*'n': 2"
        ):
            await socket.expect("news", n=7, within_seconds=0.01)
        with pytest.raises(AssertionError, match=r"no frame came within 0.01 s"):
            await socket.next(within_seconds=0.01)


async def test_a_close_ends_every_wait_and_tells_its_code(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        await socket.send("bye")
        with pytest.raises(AssertionError, match=r"(?s)before the socket was closed with 4400.*'last'"):
            await socket.expect("news")
        assert await socket.close_code() == 4400
        with pytest.raises(AssertionError, match="closed with 4400 before the next frame"):
            await socket.next()


async def test_a_socket_that_stays_open_has_no_close_code(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        with pytest.raises(AssertionError, match="was not closed within"):
            await socket.close_code(within_seconds=0.01)


async def test_silence_is_broken_by_any_frame(app: Starlette) -> None:
    async with open_socket(app, token=None, path="/talk") as socket:
        with pytest.raises(AssertionError, match="there should have been silence"):
            await socket.expect_silence()
