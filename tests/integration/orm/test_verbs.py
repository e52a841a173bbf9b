"""The verbs on a real database: what goes in comes out, and what cannot be says so."""

import datetime as dt
import decimal
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orm import (
    CheckViolation,
    DatabaseUnavailable,
    FieldNotLoaded,
    FilterError,
    ForeignKeyViolation,
    NotNullViolation,
    RecordNotFound,
    UniqueViolation,
    UsageError,
    ValidationError,
)
from tests.support.models import Category, Product, ShopHome, shop


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[ShopHome]:
    async with shop(database_url) as home:
        yield home


EVERYTHING: dict[str, Any] = {
    "name": "Lamp ü 🙂",
    "code": "ABC",
    "kind": "service",
    "price": decimal.Decimal("12.30"),
    "stock": -5,
    "weight": 1.5,
    "rating": 3,
    "views": 2**40,
    "active": False,
    "note": "two\nlines",
    "data": {"a": [1, None, "x"]},
    "blob": b"\x00\xff",
    "token": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "day": dt.date(2026, 2, 28),
    "hour": dt.time(23, 59, 59, 999999),
    "created_at": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=3))),
    "secret": "s",
}


async def test_every_kind_of_value_comes_back_as_it_went_in(home: ShopHome) -> None:
    created = await Product.create(**EVERYTHING)
    [bulk] = await Product.create_bulk([EVERYTHING])
    for record in (created, await Product.get(created.id), await Product.get(bulk)):
        assert {name: getattr(record, name) for name in EVERYTHING} == EVERYTHING
        assert record.created_at.utcoffset() == dt.timedelta(0)
        assert record.category_id is None


async def test_defaults_fill_in_and_every_column_is_loaded(home: ShopHome) -> None:
    product = await Product.create(name="Lamp")
    assert (product.kind, product.stock, product.active, product.note) == ("good", 0, True, None)
    assert product.created_at.tzinfo is not None


async def test_a_payload_a_mapping_and_keywords_are_the_same(home: ShopHome) -> None:
    one = await Product.create(Product(name="a", stock=2))
    two = await Product.create({"name": "a"}, stock=2)
    assert (one.name, one.stock) == (two.name, two.stock) == ("a", 2)


async def test_create_names_every_wrong_and_missing_value_at_once(home: ShopHome) -> None:
    with pytest.raises(ValidationError) as refusal:
        await Product.create(name="x" * 41, code="abc", price="1.234", stock=5000, kind="other", nothing=1)
    wrong = {"/name", "/code", "/price", "/stock", "/kind", "/nothing"}
    assert {place.pointer for place in refusal.value.errors} == wrong
    with pytest.raises(ValidationError) as refusal:
        await Product.create()
    assert [(place.pointer, place.code) for place in refusal.value.errors] == [("/name", "required")]


async def test_get_raises_and_get_or_none_does_not(home: ShopHome) -> None:
    with pytest.raises(RecordNotFound, match="there is no Product 99"):
        await Product.get(99)
    assert await Product.get_or_none(99) is None


async def test_only_the_fields_asked_for_are_loaded(home: ShopHome) -> None:
    root = await Category.create(name="root")
    leaf = await Category.create(name="leaf", parent_id=root)
    await Product.create(name="Lamp", category_id=leaf.id)
    [product] = await Product.search(fields=["name", "category_id.parent_id.name"])
    assert product.as_dict() == {
        "id": product.id,
        "name": "Lamp",
        "category_id": {"id": leaf.id, "parent_id": {"id": root.id, "name": "root"}},
    }
    assert product.category_id is not None
    with pytest.raises(FieldNotLoaded):
        _ = product.category_id.name
    with pytest.raises(FieldNotLoaded):
        _ = product.stock


async def test_a_null_relation_is_none_also_when_its_fields_were_asked_for(home: ShopHome) -> None:
    await Product.create(name="Lamp")
    [product] = await Product.search(fields=["category_id.name"])
    assert product.category_id is None


async def test_update_changes_what_it_is_given_and_nothing_else(home: ShopHome) -> None:
    product = await Product.create(name="Lamp", stock=1, note="n")
    stale = await Product.get(product.id)
    await product.update(stock=2)
    await stale.update(Product(note=None))
    fresh = await Product.get(product.id)
    assert (fresh.stock, fresh.note, fresh.name) == (2, None, "Lamp")
    assert stale.note is None
    await stale.refresh()
    assert stale.stock == 2


async def test_update_and_delete_of_a_row_that_is_gone_say_so(home: ShopHome) -> None:
    product = await Product.create(name="Lamp")
    await product.delete()
    for verb in (product.update(stock=1), product.update(), product.delete(), product.refresh()):
        with pytest.raises(RecordNotFound):
            await verb


async def test_bulk_verbs_count_and_refuse_to_mean_everything_by_accident(home: ShopHome) -> None:
    ids = await Product.create_bulk([{"name": f"p{n}", "stock": n} for n in range(10)])
    names = [record.name for record in await Product.search(order="id")]
    assert (sorted(ids), names) == (ids, [f"p{n}" for n in range(10)])
    assert await Product.update_bulk([["stock", "<", 3]], active=False) == 3
    assert await Product.search_count([["active", "=", False]]) == 3
    assert await Product.delete_bulk([["active", "=", False]]) == 3
    with pytest.raises(UsageError, match="all=True"):
        await Product.update_bulk([], stock=0)
    with pytest.raises(UsageError, match="all=True"):
        await Product.delete_bulk([])
    assert await Product.update_bulk([], all=True, stock=0) == 7
    assert await Product.delete_bulk([], all=True) == 7
    assert not await Product.exists()


async def test_create_bulk_is_all_or_none_and_names_the_record(home: ShopHome) -> None:
    with pytest.raises(ValidationError) as refusal:
        await Product.create_bulk([{"name": "a"}, {"stock": 1}, {"name": "c", "stock": "x"}])
    assert [place.pointer for place in refusal.value.errors] == ["/1/name", "/2/stock"]
    with pytest.raises(ValidationError) as refusal:
        await Product.create_bulk([{"name": "a"}, {"name": "x" * 41}, {"name": "c"}])
    assert [place.pointer for place in refusal.value.errors] == ["/1/name"]
    with pytest.raises(UniqueViolation):
        await Category.create_bulk([{"name": "same"}, {"name": "same"}])
    assert await Category.search_count() == await Product.search_count() == 0
    assert await Product.create_bulk([]) == []


async def test_create_bulk_mixes_records_that_name_different_fields(home: ShopHome) -> None:
    await Product.create_bulk([{"name": "a", "note": "x", "data": {"k": 1}}, Product(name="b", stock=4)])
    one, two = await Product.search(order="name")
    assert (one.note, one.data, one.stock) == ("x", {"k": 1}, 0)
    assert (two.note, two.data, two.stock) == (None, None, 4)


async def test_create_bulk_leaves_what_it_was_given_as_it_was(home: ShopHome) -> None:
    records = [{"name": "a"}, {"name": "b"}]
    await Product.create_bulk(records)
    assert records == [{"name": "a"}, {"name": "b"}]


async def test_order_puts_nulls_last_both_ways_and_breaks_ties_by_id(home: ShopHome) -> None:
    await Product.create_bulk(
        [{"name": n, "price": p} for n, p in (("a", 1), ("b", None), ("c", 2), ("d", 1))]
    )
    assert [r.name for r in await Product.search(order="price")] == ["a", "d", "c", "b"]
    assert [r.name for r in await Product.search(order=["-price"])] == ["c", "d", "a", "b"]
    assert [r.name for r in await Product.search(order="-id", limit=2, offset=1)] == ["c", "b"]


async def test_a_violated_constraint_names_model_and_field_and_keeps_the_cause(home: ShopHome) -> None:
    category = await Category.create(name="same")
    with pytest.raises(UniqueViolation, match="another Category has this name") as unique:
        await Category.create(name="same")
    assert unique.value.errors[0].pointer == "/name"
    assert (unique.value.model, unique.value.field, unique.value.fields) == ("Category", "name", ("name",))
    assert unique.value.__cause__ is not None
    with pytest.raises(UniqueViolation, match="another Category has this id") as key:
        await Category.create(id=category.id, name="other")
    assert key.value.field == "id"
    await Product.create(name="a", code="X", category_id=category)
    with pytest.raises(UniqueViolation, match="category_id and code") as pair:
        await Product.create(name="b", code="X", category_id=category)
    assert [place.pointer for place in pair.value.errors] == ["/category_id", "/code"]
    assert pair.value.fields == ("category_id", "code")
    with pytest.raises(ForeignKeyViolation, match="refers to a row that does not exist") as foreign:
        await Product.create(name="c", category_id=999)
    assert foreign.value.errors[0].pointer == "/category_id"
    assert (foreign.value.model, foreign.value.field) == ("Product", "category_id")
    with pytest.raises(ForeignKeyViolation, match=r"still referred to by Product\.category_id") as kept:
        await category.delete()
    assert (kept.value.model, kept.value.field) == ("Product", "category_id")
    with pytest.raises(NotNullViolation) as null:
        await home.db.fetch("INSERT INTO products (created_at) VALUES (now())")
    assert (null.value.model, null.value.field) == ("Product", "name")
    await home.db.execute("ALTER TABLE products ADD CONSTRAINT odd CHECK (stock <> 13)")
    with pytest.raises(CheckViolation) as check:
        await Product.create(name="a", stock=13)
    assert (check.value.model, check.value.field) == ("Product", "")


async def test_on_delete_set_null_empties_the_reference(home: ShopHome) -> None:
    root = await Category.create(name="root")
    leaf = await Category.create(name="leaf", parent_id=root)
    await root.delete()
    assert (await leaf.refresh()).parent_id is None


async def test_one_wrong_value_is_told_with_model_and_field(home: ShopHome) -> None:
    with pytest.raises(ValidationError, match=r"^Product\.stock expected `int` <= 1000$"):
        await Product.create(name="a", stock=1001)
    with pytest.raises(ValidationError, match=r"^Product\.price is less than 0$"):
        await Product.create(name="a", price=-1)


async def test_the_id_of_a_row_does_not_change(home: ShopHome) -> None:
    one, other = await Category.create(name="a"), await Category.create(name="b")
    for change in (one.update(id=77), one.update(other), Category.update_bulk(all=True, id=77)):
        with pytest.raises(ValidationError, match=r"Category\.id is what the row is known by") as refusal:
            await change
        assert refusal.value.errors[0].pointer == "/id"
    await one.update(one)
    assert [category.id for category in await Category.search()] == [one.id, other.id]


async def test_a_bulk_verb_takes_its_filter_by_name_and_none_as_none(home: ShopHome) -> None:
    await Category.create_bulk([{"name": "a"}, {"name": "b"}])
    assert await Category.update_bulk(filter=[["name", "=", "a"]], name="c") == 1
    for refused in (Category.delete_bulk(), Category.update_bulk(parent_id=None), Category.delete_bulk(())):
        with pytest.raises(UsageError, match="has no condition"):
            await refused
    assert await Category.delete_bulk(filter=[["name", "=", "c"]]) == 1
    assert await Category.delete_bulk(all=True) == 1


async def test_a_record_that_is_none_is_refused(home: ShopHome) -> None:
    for refused in (Category.create_bulk([None]), Category.upsert([None], "name")):  # type: ignore[list-item]
        with pytest.raises(UsageError, match="a record of Category is a Category or a mapping, not None"):
            await refused


async def test_a_lock_needs_a_transaction_that_holds_it(home: ShopHome) -> None:
    category = await Category.create(name="a")
    with pytest.raises(UsageError, match="holds a row until the transaction ends, and none is open"):
        await Category.get(category.id, lock="update")


@pytest.mark.parametrize("order", [5, {"name": 1}, [5]])
async def test_an_order_that_is_no_list_of_names_is_refused(home: ShopHome, order: Any) -> None:
    with pytest.raises(FilterError):
        await Product.search(order=order)


async def test_the_terms_behind_the_id_are_looked_at_too(home: ShopHome) -> None:
    with pytest.raises(FilterError, match="Product has no field 'nothing'"):
        await Product.search(order=["id", "nothing"])
    await Product.create_bulk([{"name": "a"}, {"name": "b"}])
    assert [product.name for product in await Product.search(order=["-id", "name"])] == ["b", "a"]


@pytest.mark.parametrize("number", [-1, 2**63, "5", 1.5, True])
async def test_a_limit_that_is_no_number_of_rows_is_refused(home: ShopHome, number: Any) -> None:
    with pytest.raises(FilterError, match="limit is a whole number"):
        await Product.search(limit=number)


async def test_the_like_pattern_is_taken_as_given(home: ShopHome) -> None:
    await Product.create_bulk([{"name": "50%"}, {"name": "500"}])
    assert await Product.search_count([["name", "like", "50_"]]) == 2
    assert await Product.search_count([["name", "like", "50%"]]) == 2
    assert await Product.search_count([["name", "like", "50\\%"]]) == 1


async def test_nothing_can_be_read_where_no_server_is() -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        async with shop("postgresql://nobody@127.0.0.1:1/none"):
            pytest.fail("there is no server on port 1")
