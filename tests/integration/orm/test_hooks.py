"""Hooks: every verb calls them, inside its transaction, at every node."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import AccessDenied, Grant, ModelMeta, Operation, RecordNotFound, UsageError, ValidationError
from orm.access import bind_asker, reset_asker
from orm.filters.parse import parse_filter
from orm.verbs.create import create_row, create_rows
from orm.verbs.delete import delete_many, delete_row
from orm.verbs.update import update_many, update_row
from tests.support.ledger import LEDGER, Account, Entry, Label, calls
from tests.support.models import ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models=LEDGER) as home:
        yield home


@pytest.fixture
def heard() -> list[tuple[Any, ...]]:
    """The hooks that were called, in their order."""
    noted: list[tuple[Any, ...]] = []
    calls.set(noted)
    return noted


class Owners:
    """A policy: accounts of owner 1, and their secret is hidden."""

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        if model.table != "accounts":
            return Grant()
        return Grant(parse_filter(model, [["owner", "=", 1]]), frozenset({"secret"}))


@pytest.fixture
async def asking(home: ShopHome) -> AsyncIterator[ShopHome]:
    """The same home with that policy, and somebody who asks."""
    home.policy = Owners()
    token = bind_asker("somebody")
    yield home
    reset_asker(token)


async def test_one_row_is_made_changed_and_deleted(home: ShopHome, heard: list[Any]) -> None:
    account = await Account.create(name="a")
    assert account.stamp == "made"
    assert account.owner == 0
    await account.update(name="b")
    assert account.stamp == "changed"
    await account.delete()
    assert heard == [
        ("before_create", "Account", [{"name": "a"}]),
        ("after_create", "Account", [account.id]),
        ("before_update", "Account", [account.id], {"name": "b"}),
        ("after_update", "Account", [account.id], {"name": "b", "stamp": "changed"}),
        ("before_delete", "Account", [account.id]),
        ("after_delete", "Account", [account.id]),
    ]


async def test_many_rows_are_one_call(home: ShopHome, heard: list[Any]) -> None:
    ids = await Account.create_bulk([{"name": "a"}, {"name": "b", "owner": 5}, {"name": "c"}])
    assert await Account.update_bulk([["name", "in", ["a", "b"]]], owner=7) == 2
    assert {account.stamp for account in await Account.search([["owner", "=", 7]])} == {"changed"}
    assert await Account.delete_bulk([["owner", "=", 7]]) == 2
    assert heard == [
        ("before_create", "Account", [{"name": "a"}, {"name": "b", "owner": 5}, {"name": "c"}]),
        ("after_create", "Account", ids),
        ("before_update", "Account", ids[:2], {"owner": 7}),
        ("after_update", "Account", ids[:2], {"owner": 7, "stamp": "changed"}),
        ("before_delete", "Account", ids[:2]),
        ("after_delete", "Account", ids[:2]),
    ]


async def test_no_rows_are_no_call(home: ShopHome, heard: list[Any]) -> None:
    assert await Account.create_bulk([]) == []
    assert await Account.update_bulk([["name", "=", "none"]], owner=1) == 0
    assert await Account.delete_bulk([["name", "=", "none"]]) == 0
    with pytest.raises(RecordNotFound):
        await update_row(Account, 99, {"name": "x"})
    with pytest.raises(RecordNotFound):
        await delete_row(Account, 99)
    assert heard == []


async def test_an_upsert_calls_those_of_what_it_does(home: ShopHome, heard: list[Any]) -> None:
    first = await Account.create(name="a")
    heard.clear()
    ids = await Account.upsert([{"name": "a", "owner": 3}, {"name": "b", "owner": 4}], on=["name"])
    assert ids[0] == first.id
    assert heard == [
        ("before_update", "Account", [first.id], {"name": "a", "owner": 3}),
        ("after_update", "Account", [first.id], {"name": "a", "owner": 3, "stamp": "changed"}),
        ("before_create", "Account", [{"name": "b", "owner": 4}]),
        ("after_create", "Account", ids[1:]),
    ]


async def test_every_node_of_a_nested_write(home: ShopHome, heard: list[Any]) -> None:
    account = await Account.create(name="a", entries={"create": [{"title": "x"}, {"title": "y"}]})
    [x, y] = [entry.id for entry in await Entry.search(order="title")]
    assert [(call[0], call[1]) for call in heard] == [
        ("before_create", "Account"),
        ("before_create", "Entry"),
        ("after_create", "Entry"),
        ("before_create", "Entry"),
        ("after_create", "Entry"),
        ("after_create", "Account"),
    ]
    assert heard[0][2] == [{"name": "a", "entries": {"create": [{"title": "x"}, {"title": "y"}]}}]
    assert heard[1][2] == [{"title": "x", "account_id": account.id}]
    heard.clear()
    commands = {"update": [{"id": x, "title": "z"}], "unlink": [y]}
    await account.update(entries=commands)
    assert heard == [
        ("before_update", "Account", [account.id], {"entries": commands}),
        ("before_update", "Entry", [y], {"account_id": None}),
        ("after_update", "Entry", [y], {"account_id": None, "stamp": "changed"}),
        ("before_update", "Entry", [x], {"title": "z"}),
        ("after_update", "Entry", [x], {"title": "z", "stamp": "changed"}),
        ("after_update", "Account", [account.id], {"entries": commands, "stamp": "changed"}),
    ]
    heard.clear()
    await account.update(entries={"link": [y], "delete": [x]})
    assert [call[:3] for call in heard if call[1] == "Entry"] == [
        ("before_update", "Entry", [y]),
        ("after_update", "Entry", [y]),
        ("before_delete", "Entry", [x]),
        ("after_delete", "Entry", [x]),
    ]


async def test_the_verbs_of_the_api_call_them(home: ShopHome, heard: list[Any]) -> None:
    _, row = await create_row(Account, {"name": "a"})
    _, rows = await create_rows(Account, [{"name": "b"}, {"name": "c"}])
    await update_row(Account, row["id"], {"owner": 2})
    assert await update_many(Account, [["name", "in", ["b", "c"]]], {"owner": 3}, False, api=True) == 2
    await delete_row(Account, row["id"], api=True)
    assert await delete_many(Account, [["owner", "=", 3]], False, api=True) == 2
    assert [(call[0], len(call[2])) for call in heard] == [
        *(("before_create", 1), ("after_create", 1), ("before_create", 2), ("after_create", 2)),
        *(("before_update", 1), ("after_update", 1), ("before_update", 2), ("after_update", 2)),
        *(("before_delete", 1), ("after_delete", 1), ("before_delete", 2), ("after_delete", 2)),
    ]
    assert heard[3][2] == [row["id"] for row in rows]
    with pytest.raises(AccessDenied, match=r"may not write Account\.stamp"):
        await create_row(Account, {"name": "d", "stamp": "mine"})
    for write in (
        create_row(Entry, {"title": "d", "account_id": 1}),
        create_row(Entry, {"title": "d", "id": 1}),
    ):
        with pytest.raises(ValidationError) as refused:
            await write
        assert [place.code for place in refused.value.errors] == ["readonly"]


@pytest.mark.parametrize("around", [False, True])
async def test_a_hook_that_raises_undoes_the_write(home: ShopHome, around: bool) -> None:
    account = await Account.create(name="a")
    if around:
        async with home.db.transaction():
            await Label.create(name="kept")
            with pytest.raises(ValueError, match="its reasons"):
                await account.update(name="bad")
            assert (await Account.get(account.id)).name == "a"
    else:
        with pytest.raises(ValueError, match="its reasons"):
            await Account.update_bulk([["name", "=", "a"]], name="bad")
    assert (await Account.get(account.id)).name == "a"
    assert await Label.search_count() == int(around)


async def test_what_a_hook_adds_is_checked_but_not_against_the_asker(
    asking: ShopHome, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hides_a_secret(cls: Any, records: list[dict[str, Any]]) -> None:
        for record in records:
            record["secret"] = "x" * len(record["name"])

    monkeypatch.setattr(asking.registry.of(Account).cls, "before_create", classmethod(hides_a_secret))
    await create_row(Account, {"name": "a", "owner": 1})
    with asking.db.translated():
        assert await asking.db.fetchval("SELECT secret FROM accounts") == "x"
    with pytest.raises(AccessDenied):
        await create_row(Account, {"name": "b", "owner": 1, "secret": "mine"})
    with pytest.raises(ValidationError) as refused:
        await create_row(Account, {"name": "c" * 250, "owner": 1} | {"name": "c" * 256})
    assert [place.pointer for place in refused.value.errors] == ["/name"]
    with pytest.raises(AccessDenied, match="rules do not let you create"):
        await create_row(Account, {"name": "d", "owner": 2})
    assert await asking.db.fetchval("SELECT count(*) FROM accounts") == 1


async def test_rows_outside_of_the_rule_reach_no_hook(asking: ShopHome, heard: list[Any]) -> None:
    mine = (await create_row(Account, {"name": "mine", "owner": 1}))[1]["id"]
    other = await asking.db.fetchval("INSERT INTO accounts (name, owner) VALUES ('other', 2) RETURNING id")
    heard.clear()
    assert await Account.update_bulk((), all=True, name="renamed") == 1
    assert await Account.delete_bulk([["id", "=", other]]) == 0
    with pytest.raises(RecordNotFound):
        await update_row(Account, other, {"name": "x"})
    assert [call[:3] for call in heard] == [
        ("before_update", "Account", [mine]),
        ("after_update", "Account", [mine]),
    ]


async def test_a_hook_may_write_the_row_itself_and_the_answer_shows_it(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def counts(cls: Any, ids: Any, values: Any = None) -> None:
        await home.db.execute("UPDATE entries SET title = title || '!' WHERE id = ANY($1)", list(ids))

    composed = home.registry.of(Entry).cls
    monkeypatch.setattr(composed, "after_create", classmethod(counts))
    monkeypatch.setattr(composed, "after_update", classmethod(counts))
    entry = await Entry.create(title="a")
    assert entry.title == "a!"
    await entry.update(title="b")
    assert entry.title == "b!"


async def test_a_row_that_does_not_outlive_its_hook_is_said_to_be_gone(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deletes(cls: Any, ids: Any) -> None:
        await Entry.delete_bulk([["id", "in", list(ids)]])

    monkeypatch.setattr(home.registry.of(Entry).cls, "after_create", classmethod(deletes))
    for write in (Entry.create(title="a"), create_rows(Entry, [{"title": "a"}, {"title": "b"}])):
        with pytest.raises(RecordNotFound, match="deleted by what was written with it"):
            await write


async def test_records_may_be_changed_but_not_counted_otherwise(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def adds(cls: Any, records: list[dict[str, Any]]) -> None:
        records.append({"title": "one more"})

    monkeypatch.setattr(home.registry.of(Entry).cls, "before_create", classmethod(adds))
    with pytest.raises(UsageError, match=r"Entry\.before_create was given 1 records and left 2"):
        await Entry.create(title="a")
    assert await Entry.search_count() == 0


async def test_a_bulk_update_holds_its_rows_while_the_hooks_run(
    home: ShopHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await Account.create(name="a")
    seen: list[Any] = []

    async def looks(cls: Any, ids: Any, values: Any) -> None:
        connection = await home.db.connect()
        try:
            text = "SELECT id FROM accounts FOR UPDATE SKIP LOCKED"
            seen.append(await connection.fetch(text))
        finally:
            await connection.close()

    monkeypatch.setattr(home.registry.of(Account).cls, "before_update", classmethod(looks))
    await Account.update_bulk([["id", "=", account.id]], owner=9)
    assert seen == [[]]
