"""Aggregates: figures by group, over the same filters as everything else."""

import datetime as dt
import decimal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import FilterError, One2many
from orm.verbs.aggregate import aggregate
from tests.support.models import SHOP, Category, Product, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url) as home:
        lamps = await Category.create(name="lamps")
        await Product.create_bulk(
            [
                {
                    "name": "a",
                    "price": "1.50",
                    "stock": 1,
                    "category_id": lamps,
                    "created_at": "2026-01-31T23:30:00Z",
                },
                {
                    "name": "b",
                    "price": "2.50",
                    "stock": 2,
                    "category_id": lamps,
                    "created_at": "2026-02-01T00:30:00Z",
                },
                {
                    "name": "c",
                    "stock": 4,
                    "kind": "service",
                    "day": "2026-02-11",
                    "created_at": "2026-02-02T00:00:00Z",
                },
            ]
        )
        yield home


async def test_without_groups_there_is_one_row(home: ShopHome) -> None:
    assert await Product.aggregate() == [{"count": 3}]
    values = {
        "n": ("count", "id"),
        "priced": ("count", "price"),
        "total": ("sum", "price"),
        "mean": ("avg", "stock"),
        "first": ("min", "name"),
        "most": ("max", "stock"),
    }
    [row] = await Product.aggregate(values=values)
    assert row == {
        "n": 3,
        "priced": 2,
        "total": decimal.Decimal("4.00"),
        "mean": pytest.approx(7 / 3),
        "first": "a",
        "most": 4,
    }
    assert await Product.aggregate([["stock", ">", 1]]) == [{"count": 2}]
    assert await Product.aggregate([["stock", ">", 99]], values={"s": ("sum", "stock")}) == [{"s": None}]


async def test_groups_come_in_the_order_of_their_keys_nulls_last(home: ShopHome) -> None:
    rows = await Product.aggregate(group_by="category_id.name", values={"stock": ("sum", "stock")})
    assert rows == [
        {"category_id.name": "lamps", "stock": 3},
        {"category_id.name": None, "stock": 4},
    ]


async def test_times_are_cut_in_utc(home: ShopHome) -> None:
    rows = await Product.aggregate(group_by=["created_at:month"])
    assert rows == [
        {"created_at:month": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "count": 1},
        {"created_at:month": dt.datetime(2026, 2, 1, tzinfo=dt.UTC), "count": 2},
    ]
    assert (await Product.aggregate([["day", "!=", None]], ["day:week"]))[0]["day:week"] == dt.date(
        2026, 2, 9
    )


async def test_figures_over_whole_numbers_are_of_python_s_own_kinds(home: ShopHome) -> None:
    values = {"sum": ("sum", "views"), "mean": ("avg", "stock"), "none": ("sum", "rating")}
    [row] = await Product.aggregate(values=values)
    assert [type(row[name]) for name in values] == [int, float, type(None)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"group_by": ["nothing"]},
        {"group_by": ["data"]},
        {"group_by": {"name": 1}},
        {"group_by": ["name:month"]},
        {"group_by": ["created_at:fortnight"]},
        {"group_by": [5]},
        {"group_by": ["name"] * 11},
        {"values": {}},
        {"values": {"x": ("median", "price")}},
        {"values": {"x": ("sum", "name")}},
        {"values": {"x": ("max", "data")}},
        {"values": {"x": ("sum", "nothing")}},
        {"values": {"x": "sum"}},
        {"values": {"name": ("count", "id")}, "group_by": ["name"]},
    ],
)
async def test_a_question_that_cannot_be_is_refused(home: ShopHome, arguments: dict[str, Any]) -> None:
    with pytest.raises(FilterError):
        await Product.aggregate(**arguments)


@pytest.mark.parametrize("key", ["products", "products.name", "parent_id.products.kind"])
async def test_what_may_be_many_rows_is_nothing_to_group_by(database_url: str, key: str) -> None:
    class Section(Category):
        __table__ = "categories"
        products: list["Product"] = One2many("products", "category_id")

    async with shop(database_url, models={**SHOP, "category": Section}):
        with pytest.raises(FilterError, match=r"\.products may be many rows") as refusal:
            await aggregate(Section, (), ["name", key], {"n": ("count", "id")}, api=True)
        assert refusal.value.errors[0].pointer == "/group_by/1"
