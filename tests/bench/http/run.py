"""The run: let the contestants take turns."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.http.contestant import Contestant
from tests.bench.http.dialects import Dialect
from tests.bench.http.generator import CONNECTIONS
from tests.bench.http.load import Load, Loaded, LoadFailed, write_requests
from tests.bench.http.questions import question
from tests.bench.http.servers import ServerProcess
from tests.bench.http.shape import CASES, READING
from tests.bench.http.world import World
from tests.bench.report import Sample

QUESTIONS: Final = 4000
"""Different requests of one case, asked again from the first when all were asked."""

_LATENCY_SECONDS: Final = 4


@dataclass(frozen=True)
class Plan:
    """How long a run is: every contestant has `slice_seconds` for each case in each round, and before the
    first, unmeasured. No round begins once `seconds` have passed."""

    rounds: int
    slice_seconds: int
    seconds: float
    cases: Sequence[str] = tuple(CASES)


@dataclass
class Run:
    """One comparison. `notes` says who is not in the samples, and why; `rounds` how many were measured."""

    world: World
    load: Load
    plan: Plan
    folder: Path
    notes: list[str] = field(default_factory=list)
    rounds: int = 0
    _files: dict[tuple[str, str], Path] = field(default_factory=dict)

    async def measured(self, contestants: Sequence[Contestant]) -> dict[str, dict[str, list[Sample]]]:
        """Samples of every case, one for each round and contestant.

        The order of contestants turns with every round. One that fails in a case is left out of it."""
        samples: dict[str, dict[str, list[Sample]]] = {
            case: {one.title: [] for one in contestants} for case in self.plan.cases
        }
        deadline = time.monotonic() + self.plan.seconds
        for case in self.plan.cases:
            for one in contestants:
                await self._choose(one, case, samples[case])
        while self.rounds < self.plan.rounds and (not self.rounds or time.monotonic() < deadline):
            shift = self.rounds % len(contestants)
            for case in self.plan.cases:
                await self._round(case, [*contestants[shift:], *contestants[:shift]], samples[case])
            self.rounds += 1
        return samples

    async def latencies(
        self, contestants: Sequence[Contestant], rates: dict[str, float]
    ) -> dict[str, Loaded]:
        """Of R at half of what each contestant can do at most, `rates`: requests per second by title."""
        found = {}
        for one in contestants:
            # What the answer takes is part of the time between two requests of a connection.
            wait = CONNECTIONS / (rates[one.title] / 2) * 1000 - 1
            try:
                found[one.title] = await self.load.run(
                    one.server.port, self._files[one.title, "R"], _LATENCY_SECONDS, wait_ms=round(wait)
                )
            except LoadFailed as error:
                self.notes.append(f"{one.title}, R at half load: {error}")
        return found

    async def _choose(self, one: Contestant, case: str, found: dict[str, list[Sample]]) -> None:
        """Warm up, and keep the fastest of the dialects of a contestant."""
        if case not in one.dialect.cases:
            del found[one.title]
            return
        best = 0.0
        for name, dialect in {"": one.dialect, **one.others}.items():
            file = self._write(one, case, dialect, name)
            try:
                rate = (await self.load.run(one.server.port, file, self.plan.slice_seconds)).rate
            except LoadFailed as error:
                self.notes.append(f"{one.title}, {case}: {error}")
                found.pop(one.title, None)
                return
            if rate > best:
                best, self._files[one.title, case] = rate, file
            if case not in READING:
                await self.world.tidy()
        chosen = self._files[one.title, case].stem.rpartition("-")[2]
        if chosen:
            self.notes.append(f"{one.title}, {case}: {chosen} was faster, and is what was measured")

    def _write(self, one: Contestant, case: str, dialect: Dialect, name: str) -> Path:
        rng = random.Random(f"{case}")
        asked = [dialect.asked(case, question(case, rng, self.world.products)) for _ in range(QUESTIONS)]
        file = self.folder / f"{len(self._files)}-{case}-{name}"
        write_requests(file, asked, one.headers)
        return file

    async def _round(
        self, case: str, contestants: Sequence[Contestant], found: dict[str, list[Sample]]
    ) -> None:
        for one in contestants:
            if one.title not in found:
                continue
            try:
                file = self._files[one.title, case]
                sample = await sliced(one.server, self.load, file, self.plan.slice_seconds)
                found[one.title].append(sample)
            except LoadFailed as error:
                self.notes.append(f"{one.title}, {case}: {error}")
                del found[one.title]
            if case not in READING:
                await self.world.tidy()


async def sliced(
    running: ServerProcess, load: Load, file: Path, seconds: int, *, keys: bool = False
) -> Sample:
    """What one request took in a slice of load: wall time, and CPU of all processes of the server."""
    before = running.cpu_seconds()
    done = await load.run(running.port, file, seconds, keys=keys)
    cpu = running.cpu_seconds() - before
    return Sample(1 / done.rate, cpu / done.requests)
