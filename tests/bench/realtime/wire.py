"""The client's side of a WebSocket, and the mark that messages carry. Pure.

The load generator reads a hundred thousand frames a second: no library in between."""

import base64
import os
import re
from typing import Final, NamedTuple

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_MARK: Final = re.compile(rb"~(\d{19}):(\d{7})~")
MARK_BYTES: Final = 29


class Taken(NamedTuple):
    """What was found in bytes off a socket: the messages in order, what else came, and what is not whole."""

    numbers: tuple[int, ...]
    sent_ns: tuple[int, ...]
    others: tuple[tuple[int, bytes], ...]
    rest: bytes


def mark(sent_ns: int, number: int) -> str:
    """What a message carries in its body, MARK_BYTES long: when it was sent, and which one it is. No @ is in
    it, which would mention somebody."""
    return f"~{sent_ns:019d}:{number:07d}~"


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames of a server, as (opcode, payload), and the bytes of one that is not whole."""
    frames: list[tuple[int, bytes]] = []
    start, end = 0, len(data)
    while end - start >= 2:
        opcode, length, head = data[start] & 0x0F, data[start + 1], 2
        if length > 125:
            head = 4 if length == 126 else 10
            if end - start < head:
                break
            length = int.from_bytes(data[start + 2 : start + head], "big")
        if end - start < head + length:
            break
        frames.append((opcode, data[start + head : start + head + length]))
        start += head + length
    return frames, data[start:]


def take(data: bytes) -> Taken:
    """Sort what came: messages by their marks, the rest as it is."""
    frames, rest = split(data)
    numbers: list[int] = []
    sent: list[int] = []
    others: list[tuple[int, bytes]] = []
    for opcode, payload in frames:
        found = _MARK.search(payload) if opcode == TEXT else None
        if found is None:
            others.append((opcode, payload))
        else:
            sent.append(int(found[1]))
            numbers.append(int(found[2]))
    return Taken(tuple(numbers), tuple(sent), tuple(others), rest)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A frame of a client, of at most 65,535 bytes. The mask is zero: nothing is between us and the
    server."""
    size = len(payload)
    head = (
        bytes((0x80 | opcode, 0x80 | size))
        if size < 126
        else bytes((0x80 | opcode, 0xFE, *divmod(size, 256)))
    )
    return head + bytes(4) + payload


def handshake(path: str, subprotocols: str | None) -> bytes:
    """What opens a socket."""
    key = base64.b64encode(os.urandom(16)).decode()
    offer = f"Sec-WebSocket-Protocol: {subprotocols}\r\n" if subprotocols else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    ).encode()
