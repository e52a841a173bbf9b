"""DotORM."""

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orm import (
    AccessPolicy,
    Boolean,
    Char,
    Database,
    Datetime,
    Decimal,
    DotModel,
    Integer,
    Many2one,
    Ref,
    Registry,
    Text,
    context,
)
from tests.bench.orm.common import Contestant, serve
from tests.bench.orm.data import COLUMNS, JOINED, SEARCHED


class Category(DotModel):
    __table__ = "categories"

    name: str = Char(max_length=50, required=True)


class Product(DotModel):
    __table__ = "products"

    name: str = Char(max_length=100, required=True)
    price: decimal.Decimal = Decimal(12, 2, min=0, required=True)
    stock: int = Integer(required=True)
    active: bool = Boolean(required=True)
    note: str | None = Text()
    created_at: dt.datetime = Datetime(required=True)
    category_id: Ref[Category] = Many2one(Category, required=True)


@dataclass
class Home:
    """The ORM without an application around it."""

    db: Database
    registry: Registry
    policy: AccessPolicy | None = None

    def marks(self) -> Mapping[str, str]:
        """See Home."""
        return {}


_WITH_CATEGORY = (*COLUMNS, "category_id.name")


class Starling(Contestant):
    """Every verb through the registry, with all of its checks."""

    async def open(self, url: str) -> None:
        registry = Registry.compose({"category": Category, "product": Product})
        self._db = Database(url)
        self._db.registry = registry
        await self._db.open()
        context.set_home(Home(self._db, registry))

    async def close(self) -> None:
        await self._db.close()

    async def get(self, id: int) -> Product:
        return await Product.get(id)

    async def search(self, stock: int) -> Sequence[Product]:
        return await Product.search([["stock", ">=", stock]], order="id", limit=SEARCHED)

    async def joined(self, stock: int) -> Sequence[Product]:
        return await Product.search([["stock", ">=", stock]], _WITH_CATEGORY, order="id", limit=JOINED)

    async def insert(self, row: Mapping[str, Any]) -> Product:
        return await Product.create(**row)

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        return await Product.create_bulk(rows)

    async def load(self, ids: Sequence[int]) -> Sequence[Product]:
        return await Product.search([["id", "in", ids]])

    async def update(self, record: Product, stock: int) -> Product:
        return await record.update(stock=stock)

    async def delete(self, record: Product) -> None:
        await record.delete()

    def value(self, record: Product, column: str) -> Any:
        return record.category_id.id if column == "category_id" else getattr(record, column)

    def category_name(self, record: Product) -> str:
        return record.category_id.name


if __name__ == "__main__":
    serve(Starling())
