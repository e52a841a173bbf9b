"""Tortoise ORM on asyncpg."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False

from collections.abc import Mapping, Sequence
from typing import Any

from tortoise import Model, Tortoise, fields

from tests.bench.orm.common import Contestant, connection_arguments, serve
from tests.bench.orm.data import JOINED, SEARCHED


class Category(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=50)

    class Meta:
        table = "categories"


class Product(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    price = fields.DecimalField(max_digits=12, decimal_places=2)
    stock = fields.IntField()
    active = fields.BooleanField()
    note = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    category: Any = fields.ForeignKeyField("bench.Category", related_name="products")

    class Meta:
        table = "products"


class TortoiseORM(Contestant):
    packages = ("tortoise-orm",)

    async def open(self, url: str) -> None:
        engine = {"engine": "tortoise.backends.asyncpg", "credentials": connection_arguments(url)}
        await Tortoise.init(
            config={
                "connections": {"default": engine},
                "apps": {"bench": {"models": [__name__], "default_connection": "default"}},
                "use_tz": True,
            }
        )

    async def close(self) -> None:
        await Tortoise.close_connections()

    async def get(self, id: int) -> Any:
        return await Product.get(id=id)

    async def search(self, stock: int) -> Any:
        return await Product.filter(stock__gte=stock).order_by("id").limit(SEARCHED)

    async def joined(self, stock: int) -> Any:
        wanted = Product.filter(stock__gte=stock).order_by("id").limit(JOINED)
        return await wanted.select_related("category")

    async def insert(self, row: Mapping[str, Any]) -> Any:
        return await Product.create(**row)

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        await Product.bulk_create([Product(**row) for row in rows])

    async def load(self, ids: Sequence[int]) -> Any:
        return await Product.filter(id__in=ids)

    async def update(self, record: Any, stock: int) -> Any:
        record.stock = stock
        return await record.save(update_fields=["stock"])

    async def delete(self, record: Any) -> Any:
        return await record.delete()

    def category_name(self, record: Any) -> str:
        return str(record.category.name)


if __name__ == "__main__":
    serve(TortoiseORM())
