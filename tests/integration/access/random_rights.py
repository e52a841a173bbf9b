"""Random rights: sets of roles, access lists and rules, and an asker with a search and a write of his.

Hypothesis draws the conditions; what is put together of them follows from a number that it draws as well."""

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from orm.access import OPERATIONS
from tests.integration.access.larder import MODELS, NUMBERS, RELATIONS, ROLES, WORDS
from tests.support.rights_oracle import Said

T = TypeVar("T")

COMPLEMENT = ("=", "!=")
IN_ORDER = (*COMPLEMENT, "<", "<=", ">", ">=")
FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "shelves": ("number", "word", "id"),
    "jars": ("number", "word", "secret", "token", "at", "id"),
    "labels": ("number", "word", "id"),
}


@dataclass(frozen=True)
class Case:
    """One set of rights, one asker, one search and one write of his."""

    bases: frozenset[tuple[int, int]]
    lists: Mapping[tuple[int, str], frozenset[str]]
    rules: Sequence[Said]
    direct: frozenset[int]
    user_id: int
    is_admin: bool
    table: str
    filter: Sequence[Any]
    fields: Sequence[str]
    write: str
    written: Mapping[str, Any]


# -- what cases are made of; each strategy is made once, which takes longer than drawing from it


@functools.cache
def rests(pool: str, in_rule: bool) -> st.SearchStrategy[list[Any]]:
    """What follows the name of a field in a condition."""
    if pool == "at":
        present = st.sampled_from((["is null"], ["is not null"]))
        now = st.tuples(st.sampled_from(("<", "<=", ">", ">=")), st.just("{{now}}")).map(list)
        return (now | present) if in_rule else present
    value: st.SearchStrategy[Any] = st.sampled_from(WORDS if pool == "word" else (*NUMBERS, 5))
    several: st.SearchStrategy[Any] = st.lists(value, max_size=3)
    if in_rule and pool != "word":
        value, several = value | st.just("{{user_id}}"), several | st.just("{{role_ids}}")
    return st.one_of(
        st.tuples(st.sampled_from(IN_ORDER), value),
        st.tuples(st.sampled_from(COMPLEMENT), value | st.none()),
        st.tuples(st.sampled_from(("in", "not in")), several),
        st.sampled_from((("is null",), ("is not null",))),
    ).map(list)


@functools.cache
def comparisons(table: str, in_rule: bool, depth: int) -> st.SearchStrategy[list[Any]]:
    """A condition: mostly on a field, else on a relation or on what a relation leads to."""
    own = [
        behind(name, rests("number" if name in ("secret", "token", "id") else name, in_rule))
        for name in FIELDS[table]
    ]
    led: list[st.SearchStrategy[list[Any]]] = []
    for (owner, name), relation in RELATIONS.items():
        if owner != table:
            continue
        led.append(behind(name, of_ids(in_rule)))
        if not relation.is_to_many:
            asked = st.sampled_from(("read", "update", "delete"))
            led.append(behind(name, st.tuples(st.just("allowed"), asked)))
        if depth:
            inner = comparisons(relation.target, in_rule, depth - 1)
            led.append(behind(f"{name}.", inner))
            led.append(
                behind(name, st.tuples(st.sampled_from(("some", "none")), st.lists(inner, max_size=2)))
            )
    return weighed((st.one_of(own), 3), (st.one_of(led), 2))


def behind(name: str, rest: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Conditions on `name`; with a dot at its end, those on what it leads to."""

    def condition(drawn: Sequence[Any]) -> list[Any]:
        return [f"{name}{drawn[0]}", *drawn[1:]] if name.endswith(".") else [name, *drawn]

    return rest.map(condition)


def weighed(*ways: tuple[st.SearchStrategy[T], int]) -> st.SearchStrategy[T]:
    """One of several strategies, each as often as it is told."""
    # A map that does nothing keeps `one_of` from looking into each of them, and taking all leaves alike.
    return st.one_of([way.map(lambda drawn: drawn) for way, times in ways for _ in range(times)])


@functools.cache
def of_ids(in_rule: bool) -> st.SearchStrategy[list[Any]]:
    """What follows the name of a relation that is compared by itself."""
    value: st.SearchStrategy[Any] = st.sampled_from(range(1, 9))
    if in_rule:
        value = value | st.just("{{user_id}}")
    return st.one_of(
        st.tuples(st.sampled_from(COMPLEMENT), value | st.none()),
        st.tuples(st.sampled_from(("in", "not in")), st.lists(st.integers(1, 8), max_size=4)),
        st.sampled_from((("is null",), ("is not null",))),
    ).map(list)


@functools.cache
def conditions(table: str, in_rule: bool, depth: int = 2) -> st.SearchStrategy[list[Any]]:
    """A comparison, or others joined."""
    leaf = comparisons(table, in_rule, 2)
    if not depth:
        return leaf
    inner = conditions(table, in_rule, depth - 1)
    joined = st.tuples(st.sampled_from(("or", "and")), st.lists(inner, min_size=1, max_size=3))
    return weighed(
        (leaf, 5),
        (joined.map(lambda parts: [parts[0], *parts[1]]), 2),
        (inner.map(lambda one: ["not", one]), 1),
    )


@dataclass(frozen=True)
class Pool:
    """What rules and searches are put together from, by table. Drawing conditions is what takes time: a pool
    serves many cases."""

    domains: Mapping[str, Sequence[Sequence[Any]]]
    filters: Mapping[str, Sequence[Sequence[Any]]]


pools: Final = st.builds(
    Pool,
    st.fixed_dictionaries(
        {
            table: st.lists(st.lists(conditions(table, True), min_size=1, max_size=2), min_size=4, max_size=5)
            for table in MODELS
        }
    ),
    st.fixed_dictionaries(
        {
            table: st.lists(
                st.lists(conditions(table, False), min_size=1, max_size=2), min_size=3, max_size=4
            )
            for table in MODELS
        }
    ),
)

_DOWNWARDS: Final = [(role, base) for role in ROLES for base in ROLES if role < base]
_EVERY: Final = frozenset(OPERATIONS)


def random_case(rng: random.Random, pool: Pool) -> Case:
    """A case about all tables, whose search and write are about one of them."""
    table = rng.choice(sorted(MODELS))
    relations = [name for owner, name in RELATIONS if owner == table]
    return Case(
        bases=frozenset(rng.sample(_DOWNWARDS, rng.randint(0, 3))),
        lists={
            (role, one): _some_operations(rng)
            for one in MODELS
            for role in rng.sample(list(ROLES), rng.randint(1, 3))
        },
        rules=[
            Said(
                one,
                rng.choice((*ROLES, *ROLES, None)),
                _some_operations(rng),
                domain if rng.random() < 0.95 else [],
                rng.random() < 0.95,
            )
            for one in MODELS
            for domain in rng.sample(pool.domains[one], rng.randint(0, 3))
        ],
        direct=frozenset(rng.sample(list(ROLES), rng.randint(0 if rng.random() < 0.1 else 1, 3))),
        user_id=rng.choice(NUMBERS),
        is_admin=rng.random() < 0.03,
        table=table,
        filter=rng.choice((*pool.filters[table], [])),
        fields=rng.sample(relations, rng.randint(0, 2)),
        write=rng.choice(("update", "delete", "change", "create")),
        written={"number": rng.choice(NUMBERS), "word": rng.choice(WORDS)},
    )


def _some_operations(rng: random.Random) -> frozenset[str]:
    return _EVERY if rng.random() < 0.7 else frozenset(rng.sample(OPERATIONS, rng.randint(1, 3)))
