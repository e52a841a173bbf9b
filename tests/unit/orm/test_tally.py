"""What a piece of work asks of the database, counted without one."""

import asyncio
from time import perf_counter

from orm.tally import Tally, current_tally, reset_tally, set_tally


async def test_tasks_that_are_started_in_a_context_add_to_its_tally() -> None:
    async def ask() -> None:
        tally = current_tally()
        assert tally is not None
        tally.add_since(perf_counter() - 1.0)

    tally = Tally()
    token = set_tally(tally)
    await asyncio.gather(ask(), ask())
    reset_tally(token)
    assert tally.statements == 2
    assert tally.seconds >= 2.0
    assert current_tally() is None
