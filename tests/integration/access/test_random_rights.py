"""Random roles, access lists and rules over random rows: the policy and the ORM allow what a naive evaluator
allows.

A case is one set of rights, stored in the tables and read from there as a process does, and one asker with
it: what he sees of three tables, what one random search of his finds and shows, and what one write of his
does. A case that fails is shown whole. Nothing is shrunk: rows are stored once for a whole list of cases, and
the smallest one that fails is small enough."""

import asyncio
import contextvars
import random
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orm.access import system
from services.security.policy import Policy
from tests.integration.access.comparing import Comparison, Tally
from tests.integration.access.larder import LARDER, SECURITY, put_away, random_rows
from tests.integration.access.random_rights import Case, Pool, pools, random_case
from tests.support.databases import fresh_schema
from tests.support.filter_oracle import Tables
from tests.support.models import ShopHome, shop

T = TypeVar("T")

ON_EVERY_RUN = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
AT_LENGTH = settings(ON_EVERY_RUN, max_examples=400, derandomize=False)
CASES_AT_A_TIME: Final = 25
"""Which share their rows and conditions."""


@dataclass
class Larder:
    """An open larder. Hypothesis calls plain functions, many times in one test: `run` is their way in."""

    home: ShopHome
    policy: Policy
    _runner: asyncio.Runner
    _bound: contextvars.Context

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives back, the larder's home being bound."""
        return self._runner.run(work, context=self._bound)


@pytest.fixture
def larder(run_database_url: str) -> Iterator[Larder]:
    stack, bound = AsyncExitStack(), contextvars.copy_context()
    policy = Policy()

    async def enter() -> ShopHome:
        url = await stack.enter_async_context(fresh_schema(run_database_url))
        return await stack.enter_async_context(shop(url, models={**LARDER, **SECURITY}, policy=policy))

    with asyncio.Runner() as runner:
        try:
            yield Larder(runner.run(enter(), context=bound), policy, runner, bound)
        finally:
            runner.run(stack.aclose(), context=bound)


async def compare(larder: Larder, together: Sequence[Case], tables: Tables, tally: Tally) -> None:
    with system():
        await put_away(larder.home, tables)
    wrong = []
    for case in together:
        comparison = Comparison(larder.home.db, larder.policy, case, tables, tally)
        await comparison.run()
        tally.cases += 1
        wrong += [f"{one}\n  {case}" for one in comparison.wrong]
    assert not wrong, f"{len(wrong)} answers are wrong, among them\n{min(wrong, key=len)}\nrows: {tables}"


def ask(larder: Larder, how: settings) -> Tally:
    tally = Tally()

    @how
    @given(pools, st.integers(0, 2**32))
    def example(pool: Pool, seed: int) -> None:
        rng = random.Random(seed)
        tables = random_rows(rng)
        together = [random_case(rng, pool) for _ in range(CASES_AT_A_TIME)]
        larder.run(compare(larder, together, tables, tally))

    example()
    return tally


def test_rights_are_what_a_naive_evaluator_says(larder: Larder) -> None:
    tally = ask(larder, ON_EVERY_RUN)
    assert tally.cases >= 1000
    assert tally.narrowed >= 300, tally  # else the rights are too dull to prove anything
    assert tally.searched >= 100, tally
    assert tally.written >= 100, tally


@pytest.mark.fuzz
def test_many_more_rights_are_what_a_naive_evaluator_says(larder: Larder) -> None:
    ask(larder, AT_LENGTH)
