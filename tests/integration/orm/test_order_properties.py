"""Random orders over random rows: as Python would sort them, nulls last both ways; pages put together are
the whole."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.filter_oracle import Oracle, Row
from tests.support.museum import FIELDS, RELATIONS, Museum, Piece, open_museum, random_tables, store

ON_EVERY_RUN = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
AT_LENGTH = settings(ON_EVERY_RUN, max_examples=1000, derandomize=False)

FILTERS: Sequence[list[Any]] = (
    [],
    [["flag", "!=", True]],
    [["or", ["room_id.number", ">", 0], ["topics", "is null"]]],
)


@dataclass(frozen=True)
class Walk:
    order: list[str]
    filter: list[Any]
    limit: int
    fields: list[str] | None


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    names = st.sampled_from([name for name in FIELDS["pieces"] if name != "data"])
    chosen = draw(st.lists(names, max_size=4, unique=True))
    return Walk(
        [draw(st.sampled_from(("", "-"))) + name for name in chosen],
        draw(st.sampled_from(FILTERS)),
        draw(st.integers(1, 8)),
        draw(st.sampled_from((None, ["id"], ["word", "room_id.word"]))),
    )


def in_order(rows: Sequence[Row], order: Sequence[str]) -> list[int]:
    """The ids of `rows` by `order`: one stable sort a term, the last term first. The id breaks ties, in the
    direction of the last term."""
    tie_break = "-id" if order and order[-1].startswith("-") else "id"
    sorted_rows = list(rows)
    for term in reversed([*order, tie_break]):
        name = term.removeprefix("-")
        filled = [row for row in sorted_rows if row[name] is not None]
        empty = [row for row in sorted_rows if row[name] is None]
        filled.sort(key=lambda row: row[name], reverse=term.startswith("-"))
        sorted_rows = filled + empty
    return [row["id"] for row in sorted_rows]


async def walked(walk: Walk) -> list[int]:
    """The ids of all pages, each but the last of which is full."""
    found: list[int] = []
    after: str | None = None
    while True:
        page = await Piece.search(walk.filter, walk.fields, order=walk.order, limit=walk.limit, after=after)
        found += [record.id for record in page]
        assert (page.next is None) == (len(page) < walk.limit)
        if page.next is None:
            return found
        after = page.next


async def compare(museum: Museum, asked: Sequence[Walk], *, seed: int, pieces: int) -> None:
    tables = random_tables(random.Random(seed), pieces)
    await store(museum.home, tables)
    oracle = Oracle(tables, RELATIONS, museum.lower)
    for walk in asked:
        whole = [record.id for record in await Piece.search(walk.filter, ["id"], order=walk.order)]
        assert await walked(walk) == whole, f"{walk} {seed=} {pieces=}"
        offset = random.Random(seed).randrange(pieces + 2)
        part = await Piece.search(walk.filter, ["id"], order=walk.order, limit=walk.limit, offset=offset)
        assert [record.id for record in part] == whole[offset : offset + walk.limit]
        passing = [tables["pieces"][key] for key in oracle.ids("pieces", walk.filter)]
        if not {"text", "-text"} & set(walk.order):  # whose order is a matter of the server's collation
            assert whole == in_order(passing, walk.order), f"{walk} {seed=} {pieces=}"


def ask(museum: Museum, how: settings) -> None:
    @how
    @given(st.lists(walks(), min_size=8, max_size=12), st.integers(0, 20), st.integers(0, 2**32))
    def example(asked: list[Walk], pieces: int, seed: int) -> None:
        museum.run(compare(museum, asked, seed=seed, pieces=pieces))

    example()


@pytest.fixture
def museum(run_database_url: str) -> Iterator[Museum]:
    with open_museum(run_database_url) as museum:
        yield museum


def test_rows_come_in_the_order_that_python_would_sort_them_in_and_pages_are_the_whole(
    museum: Museum,
) -> None:
    ask(museum, ON_EVERY_RUN)


@pytest.mark.fuzz
def test_many_more_orders_hold_as_well(museum: Museum) -> None:
    ask(museum, AT_LENGTH)
