"""Finished frames, written to the transport of a socket without ASGI's detour.

A thousand sockets that get the same text get the same bytes: they are made once, and each socket costs one
write. By ASGI each would cost a task, a coroutine and a frame of its own, and twice the CPU. This relies on
what uvicorn does not promise, so it is an optimisation only: what is relied on is tested once at the start,
and looked at for each socket; where anything is different all goes the way of ASGI.
"""

import asyncio
import struct
from typing import Final, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Opcode
from websockets.protocol import Protocol as WebSocketState
from websockets.protocol import Side, State

MAX_BUFFERED_BYTES: Final = 64 << 10
"""Above it a socket counts as one that does not take more now: asyncio's own mark for a writer to pause."""

_FINAL_TEXT: Final = 0x80 | Opcode.TEXT


class Transport(Protocol):
    """What is used of an asyncio transport."""

    def write(self, data: bytes) -> None:
        """Send it, or buffer it without a bound."""

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel did not take yet."""

    def is_closing(self) -> bool:
        """Whether nothing may be written any more."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The server's side of it."""

    def abort(self) -> None:
        """End the connection at once; what is buffered is lost."""


def text_frame(payload: bytes) -> bytes:
    """The WebSocket frame of a server for a whole text, given in UTF-8."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (_FINAL_TEXT, size, payload)
    if size < 1 << 16:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + payload


def frames_are_alike() -> bool:
    """Whether the library that uvicorn frames texts with makes the same bytes, one write for each text."""
    for size in (0, 125, 126, (1 << 16) - 1, 1 << 16):
        state = WebSocketState(Side.SERVER, max_size=None)
        payload = b"x" * size
        state.send_text(payload)
        if b"".join(state.data_to_send()) != text_frame(payload):
            return False
    return True


def is_direct(transport: Transport) -> bool:
    """Whether what is written to the transport of this socket, whose handshake is done, reaches the peer
    between the frames of uvicorn: it is open, nothing is compressed, and uvicorn keeps nothing back.
    """
    protocol = transport.get_protocol()
    if not isinstance(protocol, WebSocketsSansIOProtocol) or protocol.transport is not transport:
        return False
    state = protocol.conn
    return state.state is State.OPEN and not state.extensions
