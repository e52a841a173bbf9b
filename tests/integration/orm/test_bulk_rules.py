"""Bulk writes under a row rule: what the rule hides is absent, what it refuses stops everything."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import AccessDenied, Grant, ModelMeta, Operation
from orm.access import bind_asker, reset_asker
from orm.filters.parse import parse_filter
from orm.verbs.update import update_many
from tests.support.ledger import LEDGER, Account, Entry, Plain
from tests.support.models import ShopHome, shop


class Rule:
    """A policy: one rule for plain rows, whatever is asked."""

    def __init__(self, rule: list[Any]) -> None:
        self._rule = rule

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        return Grant(parse_filter(model, self._rule)) if model.table in ("plains", "entries") else Grant()


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LEDGER) as home:
        yield home


@pytest.fixture
async def plains(home: ShopHome) -> AsyncIterator[ShopHome]:
    """Rows of owners 1, 1, 2 and 3, and an asker who has those of 1 and 2."""
    await Plain.create_bulk([{"name": str(n), "owner": owner} for n, owner in enumerate((1, 1, 2, 3))])
    home.policy = Rule([["owner", "in", [1, 2]]])
    token = bind_asker("somebody")
    yield home
    reset_asker(token)


async def owners(home: ShopHome) -> list[int]:
    return [row[0] for row in await home.db.fetch("SELECT owner FROM plains ORDER BY id")]


async def test_rows_outside_of_the_rule_are_as_if_absent(plains: ShopHome) -> None:
    assert await Plain.update_bulk((), all=True, owner=2) == 3
    assert await owners(plains) == [2, 2, 2, 3]
    assert await Plain.update_bulk([["name", "=", "3"]], owner=2) == 0
    assert await Plain.delete_bulk((), all=True) == 3
    assert await owners(plains) == [3]


@pytest.mark.parametrize("api", [False, True])
async def test_a_change_that_the_rule_refuses_is_denied_and_changes_nothing(
    plains: ShopHome, api: bool
) -> None:
    with pytest.raises(AccessDenied, match="your rules do not let 3 Plain rows become"):
        await update_many(Plain, (), {"owner": 3, "name": "x"}, True, api=api)
    assert await owners(plains) == [1, 1, 2, 3]
    assert await plains.db.fetchval("SELECT count(*) FROM plains WHERE name = 'x'") == 0


async def test_one_refused_row_among_many_stops_all(plains: ShopHome) -> None:
    plains.policy = Rule([["or", ["owner", "=", 1], ["and", ["owner", "=", 2], ["name", "!=", "new"]]]])
    with pytest.raises(AccessDenied, match="do not let 1 Plain row become"):
        await Plain.update_bulk((), all=True, name="new")
    assert await plains.db.fetchval("SELECT count(*) FROM plains WHERE name = 'new'") == 0
    assert await Plain.update_bulk([["owner", "=", 1]], name="new") == 2


async def test_it_is_one_statement(plains: ShopHome) -> None:
    await Plain.update_bulk((), all=True, owner=2)
    before = plains.db.pool.round_trips
    await Plain.update_bulk((), all=True, owner=1)
    assert plains.db.pool.round_trips - before == 1


async def test_a_null_that_makes_the_rule_unknown_is_a_refusal(home: ShopHome) -> None:
    account = await Account.create(name="a", owner=1)
    await Entry.create(title="x", account_id=account)
    home.policy = Rule([["account_id.owner", "=", 1]])
    token = bind_asker("somebody")
    try:
        with pytest.raises(AccessDenied):
            await Entry.update_bulk((), all=True, account_id=None)
        assert await Entry.update_bulk((), all=True, title="y") == 1
    finally:
        reset_asker(token)


async def test_a_row_that_changes_meanwhile_is_judged_as_it_is_then(plains: ShopHome) -> None:
    connection = await plains.db.connect()
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE plains SET owner = 3 WHERE name = '0'")
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        task = asyncio.create_task(Plain.update_bulk((), all=True, name="new"))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        async with asyncio.timeout(10):
            while not await connection.fetchval(waiting, pid):  # noqa: ASYNC110  # the server tells nobody
                await asyncio.sleep(0)
        await transaction.commit()
        assert await task == 2
    finally:
        await connection.close()
    assert await plains.db.fetchval("SELECT name FROM plains WHERE id = 1") == "0"
