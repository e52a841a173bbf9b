"""Whether a contestant's answers are right, before anything is timed.

What is right is read from the database by hand, after writes too: a library that answers well and stores
something else would not be found out by its answers."""

import random
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from tests.bench.orm.common import plain
from tests.bench.orm.contestants import raw
from tests.bench.orm.data import COLUMNS, JOINED, SEARCHED, WRITTEN, arguments_of, stocks_of
from tests.bench.orm.rival import Rival

SEED: Final = 1

_AFTER = f"SELECT {', '.join(COLUMNS)} FROM products WHERE id > $1 ORDER BY id"


class WrongAnswer(Exception):
    """A contestant found or stored something else than it should. Its str says what."""


class Check:
    """The checks of one contestant against a table of `rows` rows; everything beyond them is removed again
    by the caller."""

    def __init__(self, connection: "asyncpg.Connection[Any]", rival: Rival, rows: int) -> None:
        self._connection = connection
        self._rival = rival
        self._rows = rows

    async def run(self) -> None:
        """Return when every case is right. Raises WrongAnswer, RivalFailed."""
        await self._reading()
        await self._inserting("insert", 5)
        await self._inserting("insert_many", 1)
        await self._updating()
        await self._deleting()

    async def _reading(self) -> None:
        wanted: dict[str, list[Any]] = {"get": [], "search": [], "joined": []}
        for case, answers in wanted.items():
            count = 5 if case == "get" else 2
            for (value,) in arguments_of(case, seed=SEED, count=count, rows=self._rows):
                answers.append(await self._expected(case, value))
            self._same(case, await self._ask(case, count), answers)

    async def _expected(self, case: str, value: int) -> list[Any]:
        if case == "get":
            return _plain(await self._connection.fetchrow(raw.GET, value))
        if case == "search":
            return [_plain(row) for row in await self._connection.fetch(raw.SEARCH, value, SEARCHED)]
        rows = await self._connection.fetch(raw.JOIN, value, JOINED)
        return [[*_plain(row), row["cname"]] for row in rows]

    async def _inserting(self, case: str, count: int) -> None:
        last = await self._last_id()
        answers = await self._ask(case, count)
        found = [_plain(row) for row in await self._connection.fetch(_AFTER, last)]
        arguments = arguments_of(case, seed=SEED, count=count, rows=self._rows)
        given = [one for (one,) in arguments] if case == "insert" else arguments[0][0]
        wanted = [[plain(row[name]) for name in WRITTEN] for row in given]
        self._same(case, [row[1:] for row in found], wanted)
        if case == "insert":
            self._same(case, answers, found)
        elif answers[0] is not None:  # there are libraries that do not tell the ids
            self._same(case, answers[0], [row[0] for row in found])

    async def _updating(self) -> None:
        ids = random.Random(SEED).sample(range(1, self._rows + 1), 5)
        before = [await self._expected("get", one) for one in ids]
        await self._ask("update", len(ids), ids)
        place = COLUMNS.index("stock")
        wanted = [
            [*row[:place], stock, *row[place + 1 :]]
            for row, stock in zip(before, stocks_of(SEED, len(ids)), strict=True)
        ]
        self._same("update", [await self._expected("get", one) for one in ids], wanted)

    async def _deleting(self) -> None:
        """What was inserted, all but one."""
        ids = [row["id"] for row in await self._connection.fetch(_AFTER, self._rows)]
        await self._ask("delete", len(ids) - 1, ids[1:])
        left = [row["id"] for row in await self._connection.fetch(_AFTER, self._rows)]
        self._same("delete", left, ids[:1])

    async def _ask(self, case: str, count: int, ids: Sequence[int] = ()) -> list[Any]:
        answer = await self._rival.ask(
            do="answer", case=case, seed=SEED, count=count, rows=self._rows, ids=ids
        )
        answers: list[Any] = answer["answers"]
        return answers

    async def _last_id(self) -> int:
        return int(await self._connection.fetchval("SELECT max(id) FROM products"))

    def _same(self, case: str, found: list[Any], wanted: list[Any]) -> None:
        if found == wanted:
            return
        where = next(
            (n for n, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]),
            min(len(found), len(wanted)),
        )
        raise WrongAnswer(
            f"{self._rival.title}, {case}: {len(found)} answers where {len(wanted)} are right; "
            f"at {where} {found[where : where + 1]} instead of {wanted[where : where + 1]}"
        )


def _plain(row: Any) -> list[Any]:
    return [plain(row[name]) for name in COLUMNS]
