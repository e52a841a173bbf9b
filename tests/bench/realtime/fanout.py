"""One message to a thousand sockets, again and again: cost, delay, and whether all is there in one order."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

from tests.bench.realtime.child import Child, child
from tests.bench.realtime.systems import System
from tests.bench.realtime.verdict import Verdict

MOST_DELAY_MS: Final = 100.0
"""A rate counts as reached when 99 % of the deliveries are faster."""

_LINES: Final = 8
_STALL_SECONDS: Final = 3.0
_LONGEST_TAIL_SECONDS: Final = 8.0
_STEP: Final = 1.15
_MOST_STEPS: Final = 8


@dataclass(frozen=True)
class Slice:
    """What a few seconds at one rate came to. CPU is in seconds for 100,000 deliveries: the server's
    processes, and the generator."""

    rate: float
    delivered_per_second: float
    cpu: float
    generator_cpu: float
    p50_ms: float
    p99_ms: float
    verdict: Verdict
    refused: int

    @property
    def is_kept_up(self) -> bool:
        """Whether nothing is missing and hardly anything late."""
        return self.verdict == Verdict() and not self.refused and self.p99_ms <= MOST_DELAY_MS


@dataclass
class Crowd:
    """A server with its listeners and its poster."""

    system: System
    _listener: Child
    _poster: Child
    sockets: int = 0

    def grow(self, sockets: int) -> None:
        """Open sockets until there are so many."""
        connect(self._listener, self.system, sockets - self.sockets)
        self.sockets = sockets

    def slice(self, rate: float, seconds: float) -> Slice:
        """Post `rate` messages a second for so long, and wait until they have arrived, or nothing comes any
        more."""
        self._poster.ask(do="connect", ports=self.system.ports, count=_LINES)  # idle ones were closed
        self._listener.ask(do="forget")
        cpu, began = self.system.cpu(), time.perf_counter()
        targets = [asdict(one) for one in self.system.targets]
        posted = self._poster.ask(do="pace", targets=targets, rate=rate, seconds=seconds)
        accepted = posted["accepted"]
        received = settled(self._listener, len(accepted) * self.sockets)
        took = time.perf_counter() - began
        cpu = self.system.cpu() - cpu
        report = self._listener.ask(do="report", expected=accepted)
        hundred_thousands = max(received, 1) / 1e5
        return Slice(
            rate=rate,
            delivered_per_second=received / took,
            cpu=cpu / hundred_thousands,
            generator_cpu=report["cpu"] / hundred_thousands,
            p50_ms=report["p50_ms"],
            p99_ms=report["p99_ms"],
            verdict=Verdict(*report["verdict"]),
            refused=sum(n for status, n in posted["statuses"].items() if status != "201") + report["gone"],
        )

    def fastest(self, start: float, seconds: float, *, until: float) -> Slice | None:
        """The slice with the highest rate that is kept up, in steps of 15 %, upwards from `start`, or
        downwards where that is too much already; None if none was. No step begins after `until`, in seconds
        of the monotonic clock."""
        best, rate = self.slice(start, seconds), start
        step = _STEP if best.is_kept_up else 1 / _STEP
        found = best if best.is_kept_up else None
        for _ in range(_MOST_STEPS):
            if time.monotonic() > until:
                break
            rate *= step
            one = self.slice(rate, seconds)
            if one.is_kept_up:
                found = one
            if one.is_kept_up != (step > 1):
                break
        return found


@contextmanager
def crowd(system: System, *, core: int | None) -> Iterator[Crowd]:
    """A server with nobody there yet. Raises ChildFailed."""
    with ExitStack() as stack:
        listener = stack.enter_context(child("listener", core=core))
        poster = stack.enter_context(child("poster", core=core))
        yield Crowd(system, listener, poster)


def connect(listener: Child, system: System, sockets: int) -> dict[str, int]:
    """Open so many sockets, in equal parts through each door; how many each process has, by name."""
    names: dict[str, int] = {}
    doors = len(system.doors)
    for number, door in enumerate(system.doors):
        count = sockets // doors + (number < sockets % doors)
        found = listener.ask(do="connect", door=asdict(door), count=count)["names"]
        for name, there in found.items():
            key = name or str(door.port)
            names[key] = names.get(key, 0) + there
    return names


def settled(listener: Child, expected: int) -> int:
    """How many messages have arrived, once those are all, or no more come."""
    received, changed_at = -1, time.monotonic()
    deadline = changed_at + _LONGEST_TAIL_SECONDS
    while received < expected and time.monotonic() < deadline:
        now_received = int(listener.ask(do="count")["received"])
        if now_received != received:
            received, changed_at = now_received, time.monotonic()
        elif time.monotonic() - changed_at > _STALL_SECONDS:
            break
        time.sleep(0.02)
    return received


def middle(slices: list[Slice]) -> Slice:
    """The medians of several slices at one rate; what went wrong is added up."""
    verdict = sum((one.verdict for one in slices), Verdict())
    return Slice(
        rate=slices[0].rate,
        delivered_per_second=median(one.delivered_per_second for one in slices),
        cpu=median(one.cpu for one in slices),
        generator_cpu=median(one.generator_cpu for one in slices),
        p50_ms=median(one.p50_ms for one in slices),
        p99_ms=median(one.p99_ms for one in slices),
        verdict=verdict,
        refused=sum(one.refused for one in slices),
    )
