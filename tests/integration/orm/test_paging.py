"""Keyset cursors: any order, nulls and ties included, while rows come and go; and not to be forged."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import CursorError, Grant, ModelMeta, Operation
from orm.access import bind_asker, reset_asker
from orm.filters.parse import parse_filter
from tests.support.models import Category, Product, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url) as home:
        yield home


async def walk(order: Any, *, limit: int, filter: Any = (), fields: Any = None) -> list[Any]:
    found: list[Any] = []
    after: str | None = None
    while True:
        page = await Product.search(filter, fields, order=order, limit=limit, after=after)
        found += page
        if page.next is None:
            return found
        after = page.next


ORDERS = [
    None,
    "-id",
    "price",
    "-price",
    ["kind", "-price"],
    ["-rating", "price", "-name"],
    ["active", "-created_at"],
    ["day", "-hour", "weight"],
    "token",
    ["note", "-stock"],
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_put_together_are_the_whole_search(home: ShopHome, order: Any, limit: int) -> None:
    rng = random.Random(7)
    await Product.create_bulk(
        [
            {
                "name": f"n{rng.randrange(5)}",
                "kind": rng.choice(["good", "service"]),
                "price": rng.choice([None, "1.10", "1.1", "2"]),
                "rating": rng.choice([None, 1, 2]),
                "stock": rng.randrange(3),
                "active": rng.random() < 0.5,
                "weight": rng.choice([None, 0.1, -5.0]),
                "note": rng.choice([None, "", "z"]),
                "day": rng.choice([None, "2026-01-01"]),
            }
            for _ in range(30)
        ]
    )
    everything = [record.id for record in await Product.search(order=order)]
    assert len(everything) == 30
    assert [record.id for record in await walk(order, limit=limit)] == everything


async def test_a_cursor_needs_no_column_that_was_not_asked_for(home: ShopHome) -> None:
    await Product.create_bulk([{"name": f"n{n}", "price": n % 3} for n in range(10)])
    records = await walk("-price", limit=4, fields=["name"])
    assert len({record.id for record in records}) == 10
    assert set(records[0].as_dict()) == {"id", "name"}


async def test_rows_that_were_there_throughout_are_seen_exactly_once(home: ShopHome) -> None:
    stay = await Product.create_bulk([{"name": f"s{n}", "stock": n % 7} for n in range(60)])
    stop = asyncio.Event()

    async def churn() -> None:
        rng = random.Random(3)
        while not stop.is_set():
            product = await Product.create(name="churn", stock=rng.randrange(7))
            if rng.random() < 0.7:
                await product.delete()

    task = asyncio.create_task(churn())
    try:
        for _ in range(5):
            seen = [record.id for record in await walk(["-stock", "name"], limit=5) if record.name != "churn"]
            assert sorted(seen) == stay
    finally:
        stop.set()
        await task


async def test_a_cursor_belongs_to_its_model_order_and_filter(home: ShopHome) -> None:
    await Product.create_bulk([{"name": f"n{n}"} for n in range(5)])
    await Category.create_bulk([{"name": f"n{n}"} for n in range(5)])
    cursor = (await Product.search(order="name", limit=2)).next
    assert cursor is not None
    for wrong in (
        Product.search(order="-name", limit=2, after=cursor),
        Product.search([["stock", "=", 0]], order="name", limit=2, after=cursor),
        Category.search(order="name", limit=2, after=cursor),
    ):
        with pytest.raises(CursorError, match="start from the first page"):
            await wrong


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "a" * 5000, 5, None, "=====", "\0"])
async def test_a_text_that_is_no_cursor_is_refused(home: ShopHome, cursor: Any) -> None:
    if cursor is None:
        assert await Product.search(after=None) == []
        return
    with pytest.raises(CursorError):
        await Product.search(after=cursor)


async def test_no_bit_of_a_cursor_can_be_changed(home: ShopHome) -> None:
    await Product.create_bulk([{"name": f"n{n}"} for n in range(3)])
    cursor = (await Product.search(limit=2)).next
    assert cursor is not None
    data = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for position in range(len(data)):
        data[position] ^= 1
        forged = base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")
        with pytest.raises(CursorError):
            await Product.search(limit=2, after=forged)
        data[position] ^= 1


async def test_a_page_that_is_not_full_is_the_last(home: ShopHome) -> None:
    await Product.create_bulk([{"name": f"n{n}"} for n in range(3)])
    assert (await Product.search(limit=4)).next is None
    assert (await Product.search()).next is None
    full = await Product.search(limit=3)
    assert full.next is not None
    assert await Product.search(limit=3, after=full.next) == []


class Times:
    """A policy whose rule for categories has another value at every question."""

    def __init__(self) -> None:
        self.asked = 0

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        if model.table != "categories":
            return Grant()
        self.asked += 1
        return Grant(parse_filter(model, [["id", "<", 2**40 + self.asked]]))


async def test_a_cursor_outlives_the_values_of_the_askers_rules(home: ShopHome) -> None:
    category = await Category.create(name="c")
    await Product.create_bulk([{"name": str(n), "category_id": category} for n in range(5)])
    home.policy = Times()
    token = bind_asker("somebody")
    try:
        wanted = [["category_id.name", "in", {"c", "d"}], ["category_id", "=", category]]
        first = await Product.search(wanted, order="-id", limit=2)
        second = await Product.search(wanted, order="-id", limit=2, after=first.next)
        assert len(second) == 2
        assert not {one.id for one in first} & {one.id for one in second}
        with pytest.raises(CursorError):
            await Product.search([wanted[0]], order="-id", limit=2, after=first.next)
    finally:
        reset_asker(token)


async def test_a_cursor_holds_whatever_text_the_rows_are_ordered_by(home: ShopHome) -> None:
    texts = [f"{'ä' * 5000}{number}" for number in range(5)]
    await Product.create_bulk([{"name": "n", "note": text} for text in reversed(texts)])
    assert [product.note for product in await walk("note", limit=2)] == texts
    page = await Product.search(order="note", limit=2)
    assert page.next is not None
    assert len(page.next) < 1000
    with pytest.raises(CursorError):
        await Product.search(order="note", limit=2, after=page.next[:-8] + "AAAAAAAA")
