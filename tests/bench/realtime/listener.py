"""A process with many sockets that notes what arrives: the main module of a child, see child.py.

Orders: `connect` (see Door), `forget` what has arrived, `count` of what has arrived, and `report`.

Connections are made one after the other and blocking; then one loop over epoll reads them all, which costs
less than an event loop with protocols: the generator shares the machine with what it measures."""

import json
import os
import select
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.realtime import wire
from tests.bench.realtime.verdict import judged, percentile

_READ_BYTES: Final = 1 << 18
_CONNECT_SECONDS: Final = 30.0
_MAX_KNOWN: Final = 512
_STDIN: Final = 0
_CROWD: Final = 100
_REST_SECONDS: Final = 0.001
"""In a crowd it rests between two looks, or each frame would wake it: that adds as much to each delay, and
leaves more of the machine to what is measured."""


@dataclass(frozen=True)
class Door:
    """How a socket is opened: where, what it says after the handshake, and the text in the frame after which
    it counts as listening (None: the handshake). `replies` are texts that answer texts. `name_key` is the
    member of a JSON frame that names the process at the other end."""

    port: int
    path: str
    subprotocols: str | None = None
    hello: str | None = None
    until: str | None = None
    replies: tuple[tuple[str, str], ...] = ()
    name_key: str | None = None


class Listener:
    """See the module."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._epoll.register(_STDIN, select.EPOLLIN)
        self._orders = b""
        self._space = memoryview(bytearray(_READ_BYTES))
        self._sockets: dict[int, socket.socket] = {}
        self._rests: dict[int, bytes] = {}
        self._numbers: dict[int, list[int]] = {}
        self._delays: list[int] = []
        self._known: dict[bytes, wire.Taken] = {}
        self._replies: dict[bytes, bytes] = {}
        self._gone = 0
        self._cpu = time.process_time()

    def run(self) -> None:
        """Read sockets and follow orders, until there are no more of them."""
        while True:
            ready = self._epoll.poll()
            for number, _ in ready:
                if number != _STDIN:
                    self._read(number)
                elif not self._obey():
                    return
            if len(self._sockets) > _CROWD:
                time.sleep(_REST_SECONDS)

    def _read(self, number: int) -> None:
        try:
            data = self._space[: self._sockets[number].recv_into(self._space)].tobytes()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._epoll.unregister(number)
            self._sockets.pop(number).close()
            self._gone += 1
            return
        rest = self._rests.pop(number, None)
        if rest:
            data = rest + data
        # A thousand sockets get the same bytes: they are taken apart once.
        taken = self._known.get(data)
        if taken is None:
            taken = wire.take(data)
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[data] = taken
        if taken.rest:
            self._rests[number] = taken.rest
        if taken.others:
            self._answer(number, taken.others)
        self._numbers[number].extend(taken.numbers)
        now = time.time_ns()
        for sent_ns in taken.sent_ns:
            self._delays.append(now - sent_ns)

    def _answer(self, number: int, others: tuple[tuple[int, bytes], ...]) -> None:
        opened = self._sockets[number]
        for opcode, payload in others:
            if opcode == wire.PING:
                opened.send(wire.client_frame(wire.PONG, payload))
            elif payload in self._replies:
                opened.send(wire.client_frame(wire.TEXT, self._replies[payload]))

    # -- orders

    def _obey(self) -> bool:
        """Whether there may be more orders."""
        data = os.read(_STDIN, 1 << 16)
        self._orders += data
        *lines, self._orders = self._orders.split(b"\n")
        for line in lines:
            try:
                answer = self._do(json.loads(line))
            except (OSError, EOFError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
        return bool(data)

    def _do(self, order: dict[str, Any]) -> dict[str, Any]:
        match order.pop("do"):
            case "connect":
                return self._connect(Door(**order["door"]), order["count"])
            case "forget":
                self._delays.clear()
                for numbers in self._numbers.values():
                    numbers.clear()
                self._gone = 0
                self._cpu = time.process_time()
                return {}
            case "count":
                return {"received": sum(map(len, self._numbers.values())), "gone": self._gone}
            case "report":
                return self._report(order["expected"])
        raise ValueError("an order that nobody knows")

    def _report(self, expected: list[int]) -> dict[str, Any]:
        cpu = time.process_time() - self._cpu
        delays = sorted(self._delays)
        verdict = judged(list(self._numbers.values()), expected)
        return {
            "received": len(delays),
            "p50_ms": percentile(delays, 50) / 1e6,
            "p99_ms": percentile(delays, 99) / 1e6,
            "verdict": [verdict.lost, verdict.doubled, verdict.out_of_order],
            "gone": self._gone,
            "cpu": cpu,
        }

    def _connect(self, door: Door, count: int) -> dict[str, Any]:
        names: dict[str, int] = {}
        self._replies.update({said.encode(): answer.encode() for said, answer in door.replies})
        for _ in range(count):
            opened, rest, name = _open(door)
            names[name] = names.get(name, 0) + 1
            opened.setblocking(False)
            number = opened.fileno()
            self._sockets[number] = opened
            self._rests[number] = rest
            self._numbers[number] = []
            self._epoll.register(number, select.EPOLLIN)
        return {"names": names}


def _open(door: Door) -> tuple[socket.socket, bytes, str]:
    """A socket that listens, what it has read too much, and the name of the other end."""
    opened = socket.create_connection(("127.0.0.1", door.port), timeout=_CONNECT_SECONDS)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.sendall(wire.handshake(door.path, door.subprotocols))
    head, rest = b"", b""
    while b"\r\n\r\n" not in head:
        head += _some(opened)
    head, _, rest = head.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        raise OSError(f"the handshake was answered {head[:60]!r} {rest[:200]!r}")
    if door.hello is not None:
        opened.sendall(wire.client_frame(wire.TEXT, door.hello.encode()))
    name = ""
    is_listening = door.until is None
    while not is_listening:
        frames, rest = wire.split(rest)
        for _, payload in frames:
            if door.name_key is not None and f'"{door.name_key}":'.encode() in payload:
                name = json.loads(payload)[door.name_key]
            is_listening = is_listening or (door.until or "").encode() in payload
        if not is_listening:
            rest += _some(opened)
    return opened, rest, name


def _some(opened: socket.socket) -> bytes:
    data = opened.recv(_READ_BYTES)
    if not data:
        raise EOFError("the server closed a socket while it was opened")
    return data


if __name__ == "__main__":
    Listener().run()
