"""Audited models: the database knows who writes before it is written."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import Database, UsageError, context
from tests.support.ledger import AUDITED, LEDGER, Account, Entry, Label, Plain
from tests.support.models import ShopHome, shop

ADA = {"user_id": "1", "request_id": "r1"}


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LEDGER, min_size=1, max_size=2) as home:
        await home.db.execute(AUDITED)
        home.told = ADA
        yield home


async def trail(home: ShopHome) -> list[tuple[Any, ...]]:
    """What the triggers saw since the last look."""
    rows = await home.db.fetch(
        "WITH t AS (DELETE FROM trail RETURNING *) SELECT what, who, request FROM t ORDER BY at"
    )
    return [tuple(row) for row in rows]


async def test_every_verb_announces_who_writes(home: ShopHome) -> None:
    label = await Label.create(name="a")
    await label.update(name="b")
    await Label.create_bulk([{"name": "c"}])
    await Label.update_bulk((), all=True, name="d")
    await label.delete()
    await Label.delete_bulk((), all=True)
    await Account.upsert([{"name": "x"}], on=["name"])
    await Account.upsert([{"name": "x", "owner": 2}], on=["name"])
    verbs = ["INSERT", "UPDATE", "INSERT", "UPDATE", "UPDATE", "DELETE", "DELETE"]
    assert await trail(home) == [
        *((f"{verb} labels", "1", "r1") for verb in verbs),
        ("INSERT accounts", "1", "r1"),
        ("UPDATE accounts", "1", "r1"),
    ]


async def test_links_of_an_audited_model_and_rows_that_go_with_others_count_too(home: ShopHome) -> None:
    account = await Account.create(name="a")
    entry = await Entry.create(title="x", labels={"create": [{"name": "l"}]})
    await entry.update(labels={"set": []})
    await entry.update(labels={"link": [label.id for label in await Label.search()]})
    await entry.delete()
    assert [row for row in await trail(home) if row[1:] != ("1", "r1")] == []
    await account.delete()
    assert await trail(home) == [("DELETE accounts", "1", "r1")]
    assert {meta.name for meta in home.registry if meta.audits_delete} == {"Account", "Entry", "Label"}


async def test_once_for_each_transaction_and_nothing_for_others(home: ShopHome) -> None:
    def spent() -> int:
        return home.db.pool.round_trips

    await Label.create(name="a")
    await Plain.create(name="a")
    start = spent()
    await Plain.create(name="b")
    assert spent() - start == 1
    start = spent()
    await Label.create(name="b")
    assert spent() - start == 4  # BEGIN, the announcement, INSERT, COMMIT
    start = spent()
    async with home.db.transaction():
        await Label.create(name="c")
        await Label.create(name="d")
        async with home.db.transaction():
            await Label.create(name="e")
    assert spent() - start == 8  # no savepoint but the one that was asked for


async def test_a_savepoint_that_is_rolled_back_takes_the_announcement_with_it(home: ShopHome) -> None:
    async with home.db.transaction():
        with pytest.raises(LookupError):
            async with home.db.transaction():
                await home.db.announce()
                raise LookupError
        await Label.create(name="a")
        async with home.db.transaction():
            await Label.create(name="b")
        await Label.create(name="c")
    assert await trail(home) == [("INSERT labels", "1", "r1")] * 3


async def test_another_asker_in_the_same_transaction_is_told_of(home: ShopHome) -> None:
    async with home.db.transaction():
        await Label.create(name="a")
        home.told = {"user_id": "2", "request_id": ""}
        await Label.create(name="b")
    assert await trail(home) == [("INSERT labels", "1", "r1"), ("INSERT labels", "2", "")]


async def test_the_marks_end_with_the_transaction_and_are_no_concern_of_others(home: ShopHome) -> None:
    await Label.create(name="a")
    assert not await home.db.fetchval("SELECT current_setting('starling.user_id', true)")
    inside, done = asyncio.Event(), asyncio.Event()

    async def other() -> str:
        await inside.wait()
        value = await home.db.fetchval("SELECT current_setting('starling.user_id', true)")
        done.set()
        return str(value or "")

    task = asyncio.create_task(other())
    async with home.db.transaction():
        await Label.create(name="b")
        inside.set()
        await done.wait()
    assert await task == ""


async def test_hand_written_statements_announce_by_hand(home: ShopHome) -> None:
    async with home.db.transaction():
        await home.db.announce()
        await home.db.fetch("INSERT INTO labels (name) VALUES ('a')")
    assert await trail(home) == [("INSERT labels", "1", "r1")]
    with pytest.raises(UsageError, match="needs an open transaction"):
        await home.db.announce()


async def test_marks_are_values_and_nothing_else(home: ShopHome) -> None:
    home.told = {"user_id": "1'); DROP TABLE labels; --", "request_id": '"\\'}
    await Label.create(name="a")
    assert await trail(home) == [("INSERT labels", *home.told.values())]


async def test_two_homes_announce_their_own(home: ShopHome, database_url: str) -> None:
    async with home.db.transaction():
        await home.db.announce()
        other = ShopHome(Database(database_url), home.registry, told={"user_id": "9", "request_id": ""})
        try:
            with context.bind(other):
                await Label.create(name="theirs")
        finally:
            await other.db.close()
    assert await trail(home) == [("INSERT labels", "9", "")]
