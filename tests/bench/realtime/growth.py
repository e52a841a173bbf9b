"""What more sockets cost: memory while nobody says anything, and CPU when somebody does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.realtime.fanout import Crowd

_FEW: Final = 20
_RATE: Final = 10.0


@dataclass(frozen=True)
class Grown:
    """A server with so many sockets: megabytes (10^6) of its processes for each thousand of them, and what a
    message to all of them costs and takes, ten a second."""

    sockets: int
    mb_per_1000: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


def grown(crowd: Crowd, counts: Sequence[int], seconds: float) -> list[Grown]:
    """Open sockets up to each of `counts`, ascending, and post with each number."""
    crowd.grow(_FEW)
    crowd.slice(_RATE, 1.0)  # everything was used once, and is no part of a socket
    few, found = crowd.system.bytes(), []
    for count in counts:
        crowd.grow(count)
        weight = (crowd.system.bytes() - few) / (count - _FEW) * 1000 / 1e6
        one = crowd.slice(_RATE, seconds)
        found.append(Grown(count, weight, one.cpu * count / 1e2, one.p50_ms, one.p99_ms))
    return found
