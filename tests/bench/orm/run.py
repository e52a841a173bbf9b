"""The run: check every contestant, then let them take turns."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from tests.bench.orm.check import Check, WrongAnswer
from tests.bench.orm.common import CASES, ON_RECORDS
from tests.bench.orm.data import PRODUCTS, TABLES
from tests.bench.orm.rival import Rival, RivalFailed
from tests.bench.report import Sample

_WRITING: Final = frozenset({"insert", "insert_many", "update", "delete"})
_FEWEST: Final = 2
_MOST: Final = {"insert_many": 15}
"""Operations in one slice where time would allow for more: the rows have to be removed again."""
_MOST_ELSE: Final = 5000
_CALIBRATION: Final = -1
"""The number of the round that is not measured, but finds out how many operations fill a slice."""


@dataclass(frozen=True)
class Plan:
    """How long a run is: every contestant has about `slice_seconds` for each case in each round.

    No round begins once `seconds` have passed: a busy machine gets fewer rounds, not an endless run."""

    rounds: int
    slice_seconds: float
    seconds: float
    rows: int = 100_000


FULL: Final = Plan(rounds=21, slice_seconds=0.12, seconds=170)
QUICK: Final = Plan(rounds=7, slice_seconds=0.05, seconds=35)


@asynccontextmanager
async def tables(url: str, rows: int) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection to a database in which the tables have been made and filled."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TABLES)
        await connection.execute(PRODUCTS, rows)
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
        yield connection
    finally:
        await connection.close()


@dataclass
class Run:
    """One comparison. `notes` says who is not in the samples, and why; `rounds` how many were measured."""

    connection: "asyncpg.Connection[Any]"
    plan: Plan
    notes: list[str] = field(default_factory=list)
    rounds: int = 0
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)

    async def checked(self, rivals: Sequence[Rival]) -> list[Rival]:
        """Those of `rivals` whose answers are right."""
        right = []
        for rival in rivals:
            try:
                await Check(self.connection, rival, self.plan.rows).run()
                right.append(rival)
            except (WrongAnswer, RivalFailed) as error:
                self.notes.append(str(error))
            await self._clear()
        return right

    async def measured(self, rivals: Sequence[Rival]) -> dict[str, dict[str, list[Sample]]]:
        """Samples of every case, one for each round and contestant.

        The order of contestants turns with every round. One that fails in a case is left out of it."""
        samples: dict[str, dict[str, list[Sample]]] = {
            case: {rival.title: [] for rival in rivals} for case in CASES
        }
        deadline = time.monotonic() + self.plan.seconds
        await self._round(_CALIBRATION, rivals, samples)
        while self.rounds < self.plan.rounds and (not self.rounds or time.monotonic() < deadline):
            shift = self.rounds % len(rivals)
            await self._round(self.rounds, [*rivals[shift:], *rivals[:shift]], samples)
            self.rounds += 1
        return samples

    async def _round(
        self, number: int, rivals: Sequence[Rival], samples: Mapping[str, dict[str, list[Sample]]]
    ) -> None:
        for case, found in samples.items():
            for rival in rivals:
                if rival.title not in found:
                    continue
                try:
                    if number == _CALIBRATION:
                        self._counts[case, rival.title] = await self._calibrated(rival, case)
                    else:
                        count = self._counts[case, rival.title]
                        found[rival.title].append(await self._slice(rival, case, number, count))
                except RivalFailed as error:
                    self.notes.append(f"{case}: {error}")
                    del found[rival.title]
            if case in _WRITING:
                await self._clear()

    async def _calibrated(self, rival: Rival, case: str) -> int:
        """How many operations fill a slice."""
        await self._slice(rival, case, _CALIBRATION, _FEWEST)  # the first ones prepare and compile
        sample = await self._slice(rival, case, _CALIBRATION, _FEWEST)
        return max(_FEWEST, min(_MOST.get(case, _MOST_ELSE), round(self.plan.slice_seconds / sample.wall)))

    async def _slice(self, rival: Rival, case: str, seed: int, count: int) -> Sample:
        ids: list[int] = []
        if case == "delete":
            made = await self.connection.fetch(f"{PRODUCTS} RETURNING id", count)
            ids = [row["id"] for row in made]
        elif case in ON_RECORDS:
            ids = await self._some_ids(count)
        took = await rival.ask(do="time", case=case, seed=seed, count=count, rows=self.plan.rows, ids=ids)
        done = len(ids) if case in ON_RECORDS else count  # a small table has fewer records than asked for
        return Sample(took["wall"] / done, took["cpu"] / done)

    async def _some_ids(self, count: int) -> list[int]:
        query = "SELECT id FROM products WHERE id <= $1 ORDER BY random() LIMIT $2"
        return [row["id"] for row in await self.connection.fetch(query, self.plan.rows, count)]

    async def _clear(self) -> None:
        """The table as it was, but for the stock of some products."""
        await self.connection.execute("DELETE FROM products WHERE id > $1", self.plan.rows)
        await self.connection.execute("VACUUM products")
