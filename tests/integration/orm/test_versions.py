"""Versions of rows: read beside a row, given back by a write, compared by the next one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import AccessDenied, Grant, ModelMeta, Operation, RecordNotFound
from orm.access import bind_asker, reset_asker
from orm.errors import StaleRow
from orm.filters.parse import parse_filter
from orm.verbs.create import create_row
from orm.verbs.delete import delete_row
from orm.verbs.read import one
from orm.verbs.update import update_row
from tests.support.ledger import LEDGER, Account, Entry, Label, Plain
from tests.support.models import ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LEDGER) as home:
        yield home


async def version(cls: type[Any], id: int) -> str:
    [row] = await one(cls, id, versioned=True, api=True).rows()
    assert isinstance(row[-1], str)
    return str(row[-1])


async def test_a_version_rides_behind_the_columns_and_is_no_field(home: ShopHome) -> None:
    plain = await Plain.create(name="a")
    reading = one(Plain, plain.id, ["name"], versioned=True, api=True)
    [row] = await reading.rows()
    [shown] = await reading.payload([row])
    assert shown.__struct_fields__ == ("id", "name")
    assert row[-1].isdigit()


@pytest.mark.parametrize("cls", [Plain, Account], ids=["without hooks", "with hooks"])
async def test_what_a_write_gives_back_is_what_a_read_gives(home: ShopHome, cls: Any) -> None:
    projection, row = await create_row(cls, {"name": "a"}, versioned=True)
    first = row[-1]
    assert first == await version(cls, row[0])
    assert len(projection.payload([row], extra=1)) == 1
    _, row = await update_row(cls, row[0], {"name": "b"}, version=first, versioned=True)
    second = row[-1]
    assert second == await version(cls, row[0]) != first
    _, row = await update_row(cls, row[0], {}, version=second, versioned=True)
    assert row[-1] == await version(cls, row[0]) != second


@pytest.mark.parametrize("cls", [Plain, Account], ids=["without hooks", "with hooks"])
async def test_a_write_that_means_another_version_changes_nothing(home: ShopHome, cls: Any) -> None:
    _, row = await create_row(cls, {"name": "a"}, versioned=True)
    row_id, old = row[0], row[-1]
    await cls.update_bulk([["id", "=", row_id]], name="b")
    for stale in (old, "", "x", "0", "4294967296", f" {await version(cls, row_id)}", "1' OR true --"):
        with pytest.raises(StaleRow, match=f"{cls.__name__} {row_id} was changed since you read it"):
            await update_row(cls, row_id, {"name": "c"}, version=stale)
        with pytest.raises(StaleRow):
            await delete_row(cls, row_id, version=stale, api=True)
    assert (await cls.get(row_id)).name == "b"
    now = await version(cls, row_id)
    await delete_row(cls, row_id, version=now, api=True)
    for write in (update_row(cls, row_id, {"name": "c"}, version=now), delete_row(cls, row_id, version=now)):
        with pytest.raises(RecordNotFound):
            await write


async def test_a_write_through_relations_moves_the_version_of_the_row(home: ShopHome) -> None:
    label = await Label.create(name="l")
    commands = {"link": [label.id], "create": [{"name": "m"}]}
    _, row = await create_row(Entry, {"title": "x", "labels": commands}, versioned=True)
    row_id, first = row[0], row[-1]
    assert first == await version(Entry, row_id)
    _, row = await update_row(Entry, row_id, {"labels": {"unlink": [label.id]}}, versioned=True)
    assert row[-1] == await version(Entry, row_id) != first
    _, row = await create_row(Account, {"name": "a", "entries": {"create": [{"title": "y"}]}}, versioned=True)
    assert row[-1] == await version(Account, row[0])
    before = row[-1]
    _, row = await update_row(Account, row[0], {"entries": {"create": [{"title": "z"}]}}, versioned=True)
    assert row[-1] == await version(Account, row[0]) != before


async def test_a_lock_and_a_vacuum_leave_the_version(home: ShopHome) -> None:
    plain = await Plain.create(name="a")
    before = await version(Plain, plain.id)
    async with home.db.transaction():
        await Plain.get(plain.id, lock="update")
    await home.db.execute("VACUUM (FREEZE) plains")
    assert await version(Plain, plain.id) == before


class Owners:
    """A policy: one writes rows of owner 1 and reads all."""

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        return Grant() if operation == "read" else Grant(parse_filter(model, [["owner", "=", 1]]))


async def test_a_row_outside_of_the_rule_is_refused_whatever_its_version(home: ShopHome) -> None:
    mine = await Plain.create(name="a", owner=1)
    other = await Plain.create(name="b", owner=2)
    home.policy = Owners()
    token = bind_asker("somebody")
    try:
        for stale in ("1", await version(Plain, other.id)):
            with pytest.raises(AccessDenied, match=f"do not let you update Plain {other.id}"):
                await update_row(Plain, other.id, {"name": "c"}, version=stale)
            with pytest.raises(AccessDenied, match=f"do not let you delete Plain {other.id}"):
                await delete_row(Plain, other.id, version=stale, api=True)
        with pytest.raises(RecordNotFound):  # to the program it is no row that may be written
            await other.update(name="c")
        with pytest.raises(RecordNotFound):
            await update_row(Plain, 99, {"name": "c"}, version="1")
        with pytest.raises(StaleRow):
            await update_row(Plain, mine.id, {"name": "c"}, version="1")
        with pytest.raises(AccessDenied):
            await update_row(Plain, mine.id, {"owner": 2}, version=await version(Plain, mine.id))
        with pytest.raises(StaleRow):
            await update_row(Plain, mine.id, {"owner": 2}, version="1")
    finally:
        reset_asker(token)
