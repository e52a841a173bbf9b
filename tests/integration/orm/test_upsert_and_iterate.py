"""Upsert by a unique key, and iteration in constant memory."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from orm import UsageError, ValidationError
from tests.support.library import LIBRARY, Author, Book, Tag
from tests.support.models import SHOP, Category, Product, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url, models={**SHOP, **LIBRARY}) as home:
        yield home


async def test_upsert_creates_what_is_missing_and_changes_what_is_there(home: ShopHome) -> None:
    category = await Category.create(name="c")
    old = await Product.create(name="old", code="A", category_id=category, stock=5, note="kept")
    ids = await Product.upsert(
        [
            {"code": "B", "category_id": category, "name": "new"},
            {"code": "A", "category_id": category, "name": "changed"},
        ],
        on=["category_id", "code"],
    )
    assert ids[1] == old.id
    changed, new = await Product.get(old.id), await Product.get(ids[0])
    assert (changed.name, changed.stock, changed.note) == ("changed", 5, "kept")
    assert (new.name, new.stock) == ("new", 0)


async def test_upsert_of_keys_alone_gives_their_ids(home: ShopHome) -> None:
    first = await Tag.upsert([{"name": "a"}, {"name": "b"}], on=["name"])
    assert await Tag.upsert([{"name": "b"}, {"name": "a"}], on=["name"]) == first[::-1]
    assert await Tag.upsert([], on=["name"]) == []


async def test_upsert_takes_one_field_by_itself_and_keeps_the_id_of_a_row(home: ShopHome) -> None:
    [tag] = await Tag.upsert([{"name": "a"}], "name")
    assert await Tag.upsert([{"name": "a", "id": 900}], "name") == [tag]
    assert await Tag.upsert([{"name": "a", "id": 900}, {"name": "b"}], on="name") == [tag, tag + 1]
    assert await Tag.upsert([{"id": tag, "name": "c"}, {"id": 50, "name": "d"}], on="id") == [tag, 50]
    assert [one.name for one in await Tag.search(order="name")] == ["b", "c", "d"]


async def test_upsert_mixes_records_that_name_different_fields(home: ShopHome) -> None:
    await Tag.upsert([{"name": "a"}], on=["name"])
    author = await Author.create(name="Ann", books={"create": [{"title": "t"}]})
    [book] = await Book.search([["author_id", "=", author]])
    one, two = await Tag.upsert([{"name": "a", "books": {"link": [book]}}, {"name": "z"}], on=["name"])
    assert [tag.id for tag in await Tag.search([["books", "=", book.id]])] == [one]
    assert two != one


async def test_upserts_at_the_same_time_make_one_row_of_each_key(home: ShopHome) -> None:
    records = [{"name": f"t{n}"} for n in range(20)]
    results = await asyncio.gather(*(Tag.upsert(records, on=["name"]) for _ in range(5)))
    assert all(result == results[0] for result in results)
    assert await Tag.search_count() == 20


async def test_upsert_names_what_is_wrong(home: ShopHome) -> None:
    with pytest.raises(
        UsageError, match=r"on=\('stock',\) is not unique in products; unique is category_id, code; id"
    ):
        await Product.upsert([{"name": "a"}], on=["stock"])
    with pytest.raises(ValidationError) as refusal:
        await Tag.upsert([{"name": "a"}, {}, {"name": "a"}, {"name": 5}], on=["name"])
    assert [(place.pointer, place.code) for place in refusal.value.errors] == [
        ("/1/name", "required"),
        ("/2", "duplicate"),
        ("/3/name", "invalid"),
    ]


async def test_iterate_gives_every_row_in_order_and_fills_in_relations(home: ShopHome) -> None:
    authors = await Author.create_bulk([{"name": f"a{n}"} for n in range(25)])
    await Book.create_bulk([{"title": f"t{n}", "author_id": authors[n % 25]} for n in range(50)])
    before = home.db.pool.round_trips
    seen = [
        (author.name, len(author.books))
        async for author in Author.iterate(fields=["name", "books"], order="-id", batch=10)
    ]
    assert seen == [(f"a{n}", 2) for n in reversed(range(25))]
    assert (
        home.db.pool.round_trips - before <= 12
    )  # BEGIN, cursor, 3 batches and the end, their books, COMMIT
    assert not home.db.in_transaction


async def test_iterate_shows_one_moment_while_others_write(home: ShopHome) -> None:
    await Tag.create_bulk([{"name": f"t{n}"} for n in range(30)])
    seen = 0
    async for tag in Tag.iterate(batch=5):
        seen += 1
        if tag.name == "t3":
            assert not home.db.in_transaction
            await Tag.delete_bulk([["name", "in", ["t4", "t29"]]])
    assert seen == 30
    assert await Tag.search_count() == 28


async def test_iterate_inside_a_transaction_belongs_to_it(home: ShopHome) -> None:
    async with home.db.transaction():
        await Tag.create_bulk([{"name": f"t{n}"} for n in range(10)])
        async for tag in Tag.iterate(batch=3):
            async with home.db.transaction():
                await tag.update(name=f"{tag.name}!")
    assert await Tag.search_count([["name", "like", "%!"]]) == 10


async def test_a_loop_that_is_left_gives_the_connection_back(home: ShopHome) -> None:
    await Tag.create_bulk([{"name": f"t{n}"} for n in range(30)])
    rows = Tag.iterate(batch=5)
    assert (await anext(rows)).name == "t0"
    assert await Tag.search_count() == 30
    await rows.aclose()
    assert home.db.pool.idle == home.db.pool.size
    assert await Tag.search_count() == 30
    with pytest.raises(ValueError, match="batch=0"):
        await anext(Tag.iterate(batch=0))


async def test_iterate_holds_a_batch_and_not_the_table(home: ShopHome) -> None:
    await home.db.execute(
        "INSERT INTO tags (name) SELECT repeat('x', 200) || n FROM generate_series(1, 20000) n"
    )
    seen = 0
    tracemalloc.start()
    try:
        async for _ in Tag.iterate(batch=100):
            seen += 1
            if seen == 1000:  # what is kept for good has been made by now
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == 20_000
    assert peak - before < 500_000  # the rows together are some eight million bytes
