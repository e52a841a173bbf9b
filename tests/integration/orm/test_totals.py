"""Counted searches: whether the rows were counted apart or along the way, the total is that of all that pass,
and the page is the same."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orm.errors import StatementTimeout
from orm.totals import FEW, Totals
from orm.verbs.read import Reading, many
from tests.integration.orm.test_order_properties import AT_LENGTH, ON_EVERY_RUN, Walk, walks
from tests.support.filter_oracle import Oracle
from tests.support.museum import RELATIONS, Museum, Piece, open_museum, random_tables, store


async def page(
    museum: Museum, few: bool, walk: Walk, **options: Any
) -> tuple[Reading, list[int], int | None]:
    """A page, found as where few or many rows are to be expected: its ids, and the total that it tells."""
    totals = museum.home.registry.totals = Totals()
    reading = many(Piece, walk.filter, walk.fields, order=walk.order, counted=True, **options)
    totals.note(reading.counted, 0 if few else FEW + 1)
    reading = many(Piece, walk.filter, walk.fields, order=walk.order, counted=True, **options)
    assert ("OVER ()" in reading.text) == (few and not options.get("after"))
    rows = await reading.rows()
    return reading, [record.id for record in await reading.records(rows)], reading.total(rows)


async def compare(museum: Museum, walk: Walk, *, seed: int, pieces: int) -> None:
    chance = random.Random(seed)
    tables = random_tables(chance, pieces)
    await store(museum.home, tables)
    passing = len(Oracle(tables, RELATIONS, museum.lower).ids("pieces", walk.filter))
    for options in (
        {},
        {"limit": walk.limit},
        {"limit": 0},
        {"offset": chance.randrange(pieces + 2)},
        {"limit": walk.limit, "offset": chance.randrange(pieces + 2)},
    ):
        _, ids, total = await page(museum, True, walk, **options)
        assert total == (passing if ids else None), (walk, options, seed)
        _, same, total = await page(museum, False, walk, **options)
        assert (same, total) == (ids, passing if ids else None), (walk, options, seed)
    await follow(museum, walk, passing)


async def follow(museum: Museum, walk: Walk, passing: int) -> None:
    """Every page behind a cursor tells the total of the whole."""
    after: str | None = None
    found: list[int] = []
    while True:
        few = not found
        reading, ids, total = await page(museum, few, walk, limit=walk.limit, after=after)
        assert total == (passing if ids else None), walk
        found += ids
        if len(ids) < walk.limit:
            break
        assert reading.paging is not None
        after = reading.paging.cursor((await reading.rows())[-1])
    assert len(set(found)) == len(found) == passing


class Slow:
    """A database whose time is over."""

    async def run(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        raise StatementTimeout("the statement took too long and was cancelled")


@pytest.fixture
def museum(run_database_url: str) -> Iterator[Museum]:
    with open_museum(run_database_url) as museum:
        yield museum


def ask(museum: Museum, how: settings) -> None:
    @how
    @given(walks(), st.integers(0, 20), st.integers(0, 2**32))
    def example(walk: Walk, pieces: int, seed: int) -> None:
        museum.run(compare(museum, walk, seed=seed, pieces=pieces))

    example()


def test_a_total_is_that_of_all_that_pass_however_it_was_counted(museum: Museum) -> None:
    ask(museum, ON_EVERY_RUN)


def test_what_took_too_long_is_not_kept_again(museum: Museum) -> None:
    async def ask_in_vain() -> None:
        many(Piece, limit=1, counted=True).total([(1,)])
        reading = many(Piece, limit=1, counted=True)
        assert "OVER ()" in reading.text
        reading.scope.db = Slow()  # type: ignore[assignment]
        with pytest.raises(StatementTimeout):
            await reading.rows()
        assert "OVER ()" not in many(Piece, limit=1, counted=True).text

    museum.run(ask_in_vain())


@pytest.mark.fuzz
def test_many_more_totals_hold_as_well(museum: Museum) -> None:
    ask(museum, AT_LENGTH)
