"""Piccolo on asyncpg."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False, disable-error-code=call-arg

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from piccolo.columns import (
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    Numeric,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.engine.postgres import PostgresEngine
from piccolo.table import Table

from tests.bench.orm.common import Contestant, connection_arguments, serve
from tests.bench.orm.data import JOINED, SEARCHED

# a table is declared with its engine, and this module is only ever the main one of a contestant's process
ENGINE: Any = PostgresEngine(config=connection_arguments(sys.argv[1]))


class Category(Table, tablename="categories", db=ENGINE):
    id = BigSerial(primary_key=True)
    name = Varchar(length=50)


class Product(Table, tablename="products", db=ENGINE):
    id = BigSerial(primary_key=True)
    name = Varchar(length=100)
    price = Numeric(digits=(12, 2))
    stock = Integer()
    active = Boolean()
    note = Text(null=True)
    created_at = Timestamptz()
    category_id = ForeignKey(Category)


class Piccolo(Contestant):
    packages = ("piccolo",)

    async def open(self, url: str) -> None:
        await ENGINE.start_connection_pool()

    async def close(self) -> None:
        await ENGINE.close_connection_pool()

    async def get(self, id: int) -> Any:
        return await Product.objects().get(Product.id == id)

    async def search(self, stock: int) -> Any:
        wanted = Product.objects().where(Product.stock >= stock).order_by(Product.id)
        return await wanted.limit(SEARCHED)

    async def joined(self, stock: int) -> Any:
        wanted = Product.objects(Product.category_id).where(Product.stock >= stock).order_by(Product.id)
        return await wanted.limit(JOINED)

    async def insert(self, row: Mapping[str, Any]) -> Any:
        product = Product(**row)
        await product.save()
        return product

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        found = await Product.insert(*[Product(**row) for row in rows])
        return [row["id"] for row in found]

    async def load(self, ids: Sequence[int]) -> Any:
        return await Product.objects().where(Product.id.is_in(list(ids)))

    async def update(self, record: Any, stock: int) -> Any:
        record.stock = stock
        return await record.save(columns=[Product.stock])

    async def delete(self, record: Any) -> Any:
        return await record.remove()

    def value(self, record: Any, column: str) -> Any:
        value = getattr(record, column)
        return value.id if isinstance(value, Category) else value

    def category_name(self, record: Any) -> str:
        return str(record.category_id.name)


if __name__ == "__main__":
    serve(Piccolo())
