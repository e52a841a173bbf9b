"""The load generator where there is no wrk: `python -m`, the arguments of load.lua, and the same line.

It takes several times the CPU of wrk, and so more of the core that the database needs."""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

CONNECTIONS: Final = 32
_REFUSED: Final = 400  # statuses from here on are failures


class _Client(asyncio.Protocol):
    """One connection: asks, reads the whole answer, asks again."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._transport: Any = None
        self._sent_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._later()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end or len(rest) < _length_of(head):
            return
        self._buffer = b""
        self._load.latencies.append(perf_counter() - self._sent_at)
        self._load.failed += int(head[9:12]) >= _REFUSED
        self._later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.failed += not self._load.is_over

    def _later(self) -> None:
        wait = self._load.wait
        if wait:
            asyncio.get_running_loop().call_later(random.uniform(0, 2 * wait), self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self._load.is_over:
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(self._load.next_request())


class _Load:
    """What the connections share."""

    def __init__(self, requests: Sequence[bytes], wait: float, stamp: str) -> None:
        self.wait = wait
        self.latencies: list[float] = []
        self.failed = 0
        self.is_over = False
        self._requests = requests
        self._stamp = stamp
        self._sent = 0

    def next_request(self) -> bytes:
        self._sent += 1
        request = self._requests[self._sent % len(self._requests)]
        return (
            request
            if self._stamp == "-"
            else request.replace(b"@KEY@", f"{self._stamp}{self._sent}".encode())
        )


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _read(path: str) -> list[bytes]:
    text, requests, at = Path(path).read_bytes(), [], 0
    while at < len(text):
        end = text.index(b"\n", at)
        length = int(text[at:end])
        requests.append(text[end + 1 : end + 1 + length])
        at = end + 1 + length
    return requests


async def _run(port: int, seconds: float, load: _Load) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    began = perf_counter()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Client(load), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    load.is_over = True
    took = perf_counter() - began
    ranked = sorted(load.latencies) or [0.0]
    return {
        "requests": len(load.latencies),
        "seconds": took,
        "failed": load.failed,
        "p50": ranked[len(ranked) // 2] * 1e6,
        "p99": ranked[len(ranked) * 99 // 100] * 1e6,
    }


if __name__ == "__main__":
    port, seconds, file, wait_ms, stamp = sys.argv[1:]
    load = _Load(_read(file), float(wait_ms) / 1000, stamp)
    print(json.dumps(asyncio.run(_run(int(port), float(seconds), load))))
