import asyncio
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.protocol import State

from app.realtime import direct
from app.realtime.direct import Transport, frames_are_alike, is_direct, text_frame
from app.server.protocols import SocketProtocol


async def no_app(scope: Any, receive: Any, send: Any) -> None:
    """Nothing is served."""


class FakeTransport:
    """A transport with the server's protocol on it, its handshake done."""

    def __init__(self) -> None:
        config = uvicorn.Config(no_app, interface="asgi3", ws=SocketProtocol, log_config=None)
        self.protocol: asyncio.BaseProtocol = SocketProtocol(
            config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop()
        )
        self.socket.transport = cast("asyncio.Transport", self)
        self.socket.conn.state = State.OPEN

    @property
    def socket(self) -> SocketProtocol:
        assert isinstance(self.protocol, SocketProtocol)
        return self.protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol


def judged(transport: FakeTransport) -> bool:
    return is_direct(cast("Transport", transport))


def test_a_text_is_framed_as_the_protocol_says() -> None:
    assert text_frame(b"hi") == b"\x81\x02hi"
    assert text_frame(b"x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert text_frame(b"x" * 65_536)[:10] == b"\x81\x7f" + (65_536).to_bytes(8, "big")


def test_the_librarys_frames_are_ours() -> None:
    assert frames_are_alike()


def test_frames_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "text_frame", lambda payload: b"\x81" + payload)
    assert not frames_are_alike()


async def test_an_open_socket_of_our_server_can_be_written_to() -> None:
    assert judged(FakeTransport())


async def test_a_compressed_socket_is_left_to_the_server() -> None:
    transport = FakeTransport()
    transport.socket.conn.extensions = [PerMessageDeflate(True, True, 15, 15)]
    assert not judged(transport)


async def test_a_socket_that_is_not_open_is_left_to_the_server() -> None:
    transport = FakeTransport()
    transport.socket.conn.state = State.CLOSING
    assert not judged(transport)


async def test_the_transport_of_another_server_is_left_to_it() -> None:
    transport = FakeTransport()
    transport.protocol = asyncio.Protocol()
    assert not judged(transport)


async def test_a_transport_that_something_stands_in_front_of_is_left_to_the_server() -> None:
    transport = FakeTransport()
    transport.socket.transport = cast("asyncio.Transport", FakeTransport())
    assert not judged(transport)
