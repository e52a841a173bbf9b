"""Random filters over random rows: the ORM finds the rows that a naive evaluator finds.

A filter that fails is shown with the seed of its rows. Nothing is shrunk: rows are stored once for a whole
list of filters, and the shortest one that fails is small enough."""

import functools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.filter_oracle import Oracle
from tests.support.museum import (
    FIELDS,
    MUSEUM,
    POOLS,
    RELATIONS,
    Museum,
    open_museum,
    random_tables,
    store,
)

ON_EVERY_RUN = settings(
    max_examples=85,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
AT_LENGTH = settings(ON_EVERY_RUN, max_examples=1000, derandomize=False)

PIECES = (12, 16, 20, 4, 1, 0)
"""How many rows there may be: enough for filters to tell them apart, mostly."""

MODELS = {cls.__table__: cls for cls in MUSEUM.values()}
IDS = range(-1, 12)
OTHERS: Mapping[str, Sequence[Any]] = {"number": (3, 2**40), "word": ("aa", "z"), "text": ("x",), "big": (5,)}
"""Values that no row has."""

WEIGHTS: Mapping[str, int] = {"text": 6}  # patterns have more ways to go wrong than other comparisons

ANY_ORDER = ("=", "!=", "in", "not in", "is null", "is not null")
IN_ORDER = (*ANY_ORDER, "<", "<=", ">", ">=", "between", "not between")
PATTERNS = ("like", "not like", "ilike", "not ilike")
OPERATORS: Mapping[str, Sequence[str]] = {
    "word": (*IN_ORDER, *PATTERNS),
    "text": (*ANY_ORDER, *PATTERNS),
    "kind": (*IN_ORDER, *PATTERNS),
    "data": (*ANY_ORDER, "contains", "contains"),
}
PARTS_OF_PATTERNS = ("a", "%", "_", "b", "A", "\\%", "\\_", "\\\\", "\\a", "é", "Ж")
CHANGES: Sequence[Callable[[str], str]] = (
    str,
    str.swapcase,
    lambda pattern: f"%{pattern.swapcase()}",
    lambda pattern: f"{pattern}_",
)


@dataclass(frozen=True)
class Question:
    table: str
    filter: list[Any]
    in_json: bool
    """Whether its values are sent as a client of the API sends them."""


@functools.cache  # as everything that makes strategies: making one takes longer than drawing from it
def values(pool: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(IDS if pool == "id" else (*POOLS[pool], *OTHERS.get(pool, ())))


@functools.cache
def operations(pool: str) -> st.SearchStrategy[list[Any]]:
    """The rest of a condition on a field with values of `pool`: an operator and a value for it."""
    value, several = values(pool), st.lists(st.none() | values(pool), max_size=4)
    given: dict[str, st.SearchStrategy[Any]] = {
        "=": value | st.none(),
        "!=": value | st.none(),
        "in": several,
        "not in": several,
        "between": st.tuples(value, value).map(list),
        "not between": st.tuples(value, value).map(list),
        "is null": st.none(),
        "is not null": st.none(),
        **dict.fromkeys(PATTERNS, patterns),
    }
    return st.one_of(
        [st.tuples(st.just(op), given.get(op, value)).map(list) for op in OPERATORS.get(pool, IN_ORDER)]
    )


def as_pattern(text: str) -> str:
    """A pattern that matches this text only."""
    return re.sub(r"([\\%_])", r"\\\1", text)


near_patterns = st.tuples(st.sampled_from(CHANGES), st.sampled_from([*POOLS["text"], *POOLS["word"]])).map(
    lambda chosen: chosen[0](as_pattern(chosen[1]))
)
patterns = near_patterns | st.lists(st.sampled_from(PARTS_OF_PATTERNS), max_size=5).map("".join)


@functools.cache
def of_relations(table: str, name: str, depth: int) -> st.SearchStrategy[list[Any]]:
    """The rest of a condition on a relation itself."""
    relation = RELATIONS[table, name]
    ways: list[st.SearchStrategy[Any]] = []
    if depth:
        inner = st.lists(conditions(relation.target, depth - 1), max_size=2)
        ways += [st.tuples(st.sampled_from(("some", "none")), inner)]
    if relation.is_to_many:
        one, several = st.sampled_from(IDS), st.lists(st.sampled_from(IDS), max_size=3)
        ways += [
            st.tuples(st.sampled_from(("=", "!=")), one | st.none()),
            st.tuples(st.sampled_from(("in", "not in")), several),
            st.tuples(st.sampled_from(("is null", "is not null"))),
        ]
    else:
        ways += [st.tuples(st.just("allowed"), st.sampled_from(("read", "update", "delete")))]
    return st.one_of(ways).map(list)


@functools.cache
def paths(table: str, hops: int) -> list[tuple[tuple[str, ...], str]]:
    """Ways over at most so many relations, the shortest first, and the tables that they lead to."""
    found: list[tuple[tuple[str, ...], str]] = [((), table)]
    for (owner, name), relation in RELATIONS.items():
        if owner == table and hops:
            found += [((name, *rest), end) for rest, end in paths(relation.target, hops - 1)]
    return sorted(found, key=lambda path: len(path[0]))


@functools.cache
def comparisons(table: str, depth: int) -> st.SearchStrategy[list[Any]]:
    """A condition on a field of `table`, or of what a path of up to three relations leads to."""
    ways = st.just(((), table)) | st.sampled_from(paths(table, 1)) | st.sampled_from(paths(table, 3))

    @st.composite
    def comparison(draw: st.DrawFn) -> list[Any]:
        path, end = draw(ways)
        relations = [name for owner, name in RELATIONS if owner == end]
        fields = [(name, pool) for name, pool in FIELDS[end].items() for _ in range(WEIGHTS.get(pool, 1))]
        number = draw(st.integers(0, len(fields) + len(relations) - 1))
        if number < len(fields):
            name, pool = fields[number]
            rest = operations(pool)
        else:
            name = relations[number - len(fields)]
            rest = of_relations(end, name, depth)
        return [".".join([*path, name]), *draw(rest)]

    return comparison()


@functools.cache
def conditions(table: str, depth: int = 3) -> st.SearchStrategy[list[Any]]:
    """A comparison, or others joined."""
    leaf = comparisons(table, depth)
    if not depth:
        return leaf
    inner = conditions(table, depth - 1)
    joined = st.tuples(st.sampled_from(("or", "or", "and")), st.lists(inner, min_size=1, max_size=3))
    return st.one_of(
        leaf,
        leaf,
        joined.map(lambda parts: [parts[0], *parts[1]]),
        inner.map(lambda one: ["not", one]),
    )


questions = st.one_of(
    [
        st.builds(
            Question, st.just(table), st.lists(conditions(table), min_size=1, max_size=2), st.booleans()
        )
        for table in ("pieces", "rooms", "topics")
    ]
)


@pytest.fixture
def museum(run_database_url: str) -> Iterator[Museum]:
    with open_museum(run_database_url) as museum:
        yield museum


@dataclass
class Tally:
    asked: int = 0
    telling: int = 0
    """Filters that some rows pass and some do not."""


async def compare(museum: Museum, asked: Sequence[Question], *, seed: int, pieces: int, tally: Tally) -> None:
    tables = random_tables(random.Random(seed), pieces)
    await store(museum.home, tables)
    oracle = Oracle(tables, RELATIONS, museum.lower)
    wrong = []
    for question in asked:
        sent = msgspec.to_builtins(question.filter) if question.in_json else question.filter
        found = [record.id for record in await MODELS[question.table].search(sent, ["id"])]
        expected = oracle.ids(question.table, question.filter)
        if found != expected:
            wrong.append(
                f"{question.table} by {sent!r}: found {found}, expected {expected}; {seed=} {pieces=}"
            )
        tally.asked += 1
        tally.telling += 0 < len(expected) < len(tables[question.table])
    assert not wrong, min(wrong, key=len)


def ask(museum: Museum, how: settings) -> Tally:
    tally = Tally()

    @how
    @given(st.lists(questions, min_size=25, max_size=30), st.sampled_from(PIECES), st.integers(0, 2**32))
    def example(asked: list[Question], pieces: int, seed: int) -> None:
        museum.run(compare(museum, asked, seed=seed, pieces=pieces, tally=tally))

    example()
    return tally


def test_a_filter_finds_the_rows_that_a_naive_evaluator_finds(museum: Museum) -> None:
    tally = ask(museum, ON_EVERY_RUN)
    assert tally.asked >= 2000
    assert tally.telling >= 400  # else the filters are too dull to prove anything


@pytest.mark.fuzz
def test_many_more_filters_find_the_rows_that_a_naive_evaluator_finds(museum: Museum) -> None:
    ask(museum, AT_LENGTH)
