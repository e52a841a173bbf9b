"""SQLAlchemy 2, its ORM on asyncpg: a session for each operation, as in a request."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, Numeric, String, Text, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

from tests.bench.orm.common import Contestant, serve
from tests.bench.orm.data import JOINED, SEARCHED


class Base(DeclarativeBase):
    pass


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    price: Mapped[decimal.Decimal] = mapped_column(Numeric(12, 2))
    stock: Mapped[int] = mapped_column(Integer)
    active: Mapped[bool]
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    category: Mapped[Category] = relationship()


class SQLAlchemy(Contestant):
    packages = ("SQLAlchemy",)

    async def open(self, url: str) -> None:
        async def connect() -> Any:
            return await asyncpg.connect(url)

        self._engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
        # what was written is read afterwards, as its documentation advises for asyncio
        self._session = async_sessionmaker(self._engine, expire_on_commit=False)

    async def close(self) -> None:
        await self._engine.dispose()

    async def get(self, id: int) -> Any:
        async with self._session() as session:
            return await session.get(Product, id)

    async def search(self, stock: int) -> Sequence[Any]:
        wanted = select(Product).where(Product.stock >= stock).order_by(Product.id).limit(SEARCHED)
        async with self._session() as session:
            return list(await session.scalars(wanted))

    async def joined(self, stock: int) -> Sequence[Any]:
        wanted = select(Product).where(Product.stock >= stock).order_by(Product.id).limit(JOINED)
        async with self._session() as session:
            return list(await session.scalars(wanted.options(joinedload(Product.category, innerjoin=True))))

    async def insert(self, row: Mapping[str, Any]) -> Any:
        product = Product(**row)
        async with self._session() as session, session.begin():
            session.add(product)
        return product

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        # of its ways to insert many rows the one that measured best
        products = [Product(**row) for row in rows]
        async with self._session() as session, session.begin():
            session.add_all(products)
        return [product.id for product in products]

    async def load(self, ids: Sequence[int]) -> Sequence[Any]:
        async with self._session() as session:
            return list(await session.scalars(select(Product).where(Product.id.in_(ids))))

    async def update(self, record: Any, stock: int) -> Any:
        async with self._session() as session, session.begin():
            session.add(record)
            record.stock = stock
        return record

    async def delete(self, record: Any) -> Any:
        async with self._session() as session, session.begin():
            await session.delete(record)

    def category_name(self, record: Any) -> str:
        return str(record.category.name)


if __name__ == "__main__":
    serve(SQLAlchemy())
