"""A process that posts messages over HTTP and notes the answers: the main module of a child, see child.py.

Orders: `connect` so many lines to a port, `pace` messages at a rate, whether or not earlier ones were
answered, and `flood`: each line posts again as soon as it is answered."""

import asyncio
import json
import math
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from uvicorn.loops.auto import auto_loop_factory

from tests.bench.realtime.verdict import percentile
from tests.bench.realtime.wire import MARK_BYTES, mark

_ANSWER_SECONDS: Final = 60.0
_TRIES_PER_LINE: Final = 50


@dataclass(frozen=True)
class Target:
    """Where messages go: a path, more headers, and what stands before and after the mark in the body."""

    path: str
    before: str
    after: str
    headers: str = ""

    def request(self, sent_ns: int, number: int) -> bytes:
        """One message."""
        length = len(self.before) + MARK_BYTES + len(self.after)
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n{self.headers}\r\n{self.before}{mark(sent_ns, number)}{self.after}"
        ).encode()


class Line(asyncio.Protocol):
    """A connection that is kept; `answered` is called with the line and the status of each answer, 0 when the
    connection is lost instead."""

    def __init__(self, answered: Callable[["Line", int], None]) -> None:
        self.answered = answered
        self.number = 0
        self.sent_at = 0.0
        self.worker = ""
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in an answer: a head with a length, and a body."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) >= int(fields.get(b"content-length", b"0")):
            self._data = b""
            self.worker = fields.get(b"x-worker", b"").decode()
            self.answered(self, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        self.answered(self, 0)

    def send(self, request: bytes) -> None:
        """Ask something; nothing else is on its way."""
        assert self._transport is not None, "connected"
        self.sent_at = time.perf_counter()
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Poster:
    """See the module. Messages are numbered from 1 on, over all orders."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._next = 1

    async def connect(
        self, ports: Sequence[int], count: int, not_worker: str | None = None, probe: str = "/"
    ) -> dict[str, Any]:
        """Have `count` lines, in turn to each port; with `not_worker` only to processes with other names,
        which they say in their answer to a GET of `probe`. Those before are closed."""
        for line in self._lines:
            line.answered = _nobody
            line.close()
        self._lines = []
        for tried in range(count * _TRIES_PER_LINE):
            if len(self._lines) == count:
                return {"lines": count}
            line = await _connected(ports[tried % len(ports)], probe if not_worker is not None else None)
            if not_worker is not None and line.worker == not_worker:
                line.close()
            else:
                self._lines.append(line)
        if len(self._lines) < count:
            raise OSError(f"no other process than {not_worker} answers")
        return {"lines": count}

    async def pace(self, targets: Sequence[Target], rate: float, seconds: float) -> dict[str, Any]:
        """Post `rate` messages a second. A message that finds no free line waits, and its time counts."""
        free = deque(self._lines)
        waiting: deque[tuple[int, int]] = deque()
        statuses: Counter[int] = Counter()
        accepted: list[int] = []
        latest = 0

        def answered(line: Line, status: int) -> None:
            statuses[status] += 1
            if 200 <= status < 300:
                accepted.append(line.number)
            if sum(statuses.values()) == count:
                done.set_result(None)
            if waiting:
                send(line, *waiting.popleft())
            else:
                free.append(line)

        def send(line: Line, sent_ns: int, number: int) -> None:
            line.number = number
            line.send(targets[number % len(targets)].request(sent_ns, number))

        for line in self._lines:
            line.answered = answered
        done = asyncio.get_running_loop().create_future()
        count = math.ceil(rate * seconds)
        first, began = self._next, time.perf_counter()
        for index in range(count):
            await asyncio.sleep(max(0.0, began + index / rate - time.perf_counter()))
            sent_ns = time.time_ns()
            if free:
                send(free.popleft(), sent_ns, first + index)
            else:
                waiting.append((sent_ns, first + index))
                latest = max(latest, len(waiting))
        self._next += count
        await asyncio.wait_for(done, _ANSWER_SECONDS)
        accepted.sort()
        return {"accepted": accepted, "statuses": _named(statuses), "most_waiting": latest}

    async def flood(self, targets: Sequence[Target], seconds: float) -> dict[str, Any]:
        """Post for so long, each line to the next target."""
        statuses: Counter[int] = Counter()
        delays: list[float] = []
        busy = len(self._lines)
        done = asyncio.get_running_loop().create_future()
        end = time.perf_counter() + seconds

        def answered(line: Line, status: int) -> None:
            nonlocal busy
            statuses[status] += 1
            now = time.perf_counter()
            delays.append(now - line.sent_at)
            if status == 0 or now >= end:
                busy -= 1
                if not busy:
                    done.set_result(None)
            else:
                send(line)

        def send(line: Line) -> None:
            line.send(targets[self._next % len(targets)].request(time.time_ns(), self._next))
            self._next += 1

        began, cpu = time.perf_counter(), time.process_time()
        for line in self._lines:
            line.answered = answered
            send(line)
        await asyncio.wait_for(done, _ANSWER_SECONDS)
        took = time.perf_counter() - began
        delays.sort()
        return {
            "per_second": sum(count for status, count in statuses.items() if status == 201) / took,
            "statuses": _named(statuses),
            "p50_ms": percentile(delays, 50) * 1e3,
            "p99_ms": percentile(delays, 99) * 1e3,
            "cpu": (time.process_time() - cpu) / took,
        }


async def _connected(port: int, probe: str | None) -> Line:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: Line(lambda _, status: None if answer.done() else answer.set_result(status)),
        "127.0.0.1",
        port,
    )
    if probe is not None:
        line.send(f"GET {probe} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await answer
    line.answered = _nobody
    return line


def _nobody(line: Line, status: int) -> None:
    """Nobody waits for an answer."""


def _named(statuses: Counter[int]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(statuses.items())}


async def _run() -> None:
    poster = Poster()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if "targets" in order:
            order["targets"] = [Target(**one) for one in order["targets"]]
        try:
            match order.pop("do"):
                case "connect":
                    answer = await poster.connect(**order)
                case "pace":
                    answer = await poster.pace(**order)
                case "flood":
                    answer = await poster.flood(**order)
                case _:
                    answer = {"error": "an order that nobody knows"}
        except (OSError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    """Follow orders until there are no more; on uvloop where it is there."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_run())


if __name__ == "__main__":
    main()
