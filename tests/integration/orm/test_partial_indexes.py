"""Indexes of some rows, in the database."""

from collections.abc import AsyncIterator

import pytest

from orm import Boolean, Char, DotModel, Index, Integer, UniqueViolation
from orm.schema.apply import bring_up, read_difference
from orm.schema.indexes import literal
from orm.verbs.read import many
from tests.support.models import ShopHome, shop


class Seat(DotModel):
    __table__ = "seats"
    __indexes__ = (
        Index(["place"], where=[["is_taken", "=", True]], unique=True),
        Index(["-id"], where=[["guest", "is not null"], ["place", "in", ["it's", "a"]]]),
    )

    place: str = Char(required=True)
    guest: str | None = Char()
    is_taken: bool = Boolean(default=False)
    number: int = Integer(default=0)


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models={"seat": Seat}) as home:
        yield home


async def test_two_rows_may_share_what_only_some_may_not(home: ShopHome) -> None:
    await Seat.create_bulk([{"place": "a"}, {"place": "a"}, {"place": "a", "is_taken": True}])
    with pytest.raises(UniqueViolation, match="another Seat has this place") as violation:
        await Seat.create(place="a", is_taken=True)
    assert [place.pointer for place in violation.value.errors] == ["/place"]


async def test_the_database_has_what_the_models_want(home: ShopHome) -> None:
    difference = await read_difference(home.db, home.registry)
    assert (difference.safe, difference.changes) == ([], [])
    await bring_up(home.db, home.registry)


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "broken off"])
async def test_one_that_is_gone_or_was_never_built_to_the_end_is_found_missing(
    home: ShopHome, is_there: bool
) -> None:
    [unique] = home.registry.of(Seat).partial_uniques
    if is_there:
        invalidate = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass"
        await home.db.execute(invalidate, f'"{unique}"')
    else:
        await home.db.execute(f'DROP INDEX "{unique}"')
    difference = await read_difference(home.db, home.registry)
    [change] = difference.changes
    assert "has no unique index on place where" in change.sentence
    await home.db.execute(f'DROP INDEX IF EXISTS "{unique}"')
    await home.db.execute(change.statements[0])
    assert (await read_difference(home.db, home.registry)).changes == []


async def test_a_search_with_the_same_condition_uses_it_also_when_it_runs_often(home: ShopHome) -> None:
    await home.db.execute(
        "INSERT INTO seats (place, is_taken, number) "
        "SELECT 'p' || n, n % 1000 = 0, n FROM generate_series(1, 20000) n"
    )
    await home.db.execute("ANALYZE seats")
    [unique] = home.registry.of(Seat).partial_uniques
    reading = many(Seat, [["place", "=", "p5000"], ["is_taken", "=", True]], ["number"], limit=1)
    async with home.db.transaction():
        # one connection, so that the server may take a plan for all values after the fifth time
        for _ in range(8):
            [(_, number)] = await reading.rows()
            assert number == 5000
        values = ", ".join(literal(value) for value in reading.values)
        await home.db.execute(f"PREPARE question AS {reading.text}")
        for _ in range(8):
            plan = await home.db.fetch(f"EXPLAIN EXECUTE question ({values})")
    assert unique in "\n".join(row[0] for row in plan)
