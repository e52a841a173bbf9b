"""Litestar and the services of advanced-alchemy, with its DTOs of msgspec."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
# mypy: disable-error-code="import-not-found,call-arg"

import datetime as dt
import decimal
from collections.abc import AsyncIterator
from typing import Annotated, Any

import asyncpg
import msgspec
from advanced_alchemy.exceptions import NotFoundError
from advanced_alchemy.filters import LimitOffset
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from advanced_alchemy.service import SQLAlchemyAsyncRepositoryService
from litestar import Litestar, Request, get, patch, post
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException, NotFoundException
from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, Numeric, String, Text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

from tests.bench.http import serving


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
    owner_id: Mapped[int] = mapped_column(BigInteger)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    category: Mapped[Category] = relationship()


class CategoryOut(msgspec.Struct):
    id: int
    name: str


class ProductOut(msgspec.Struct):
    id: int
    name: str
    price: decimal.Decimal
    stock: int
    active: bool
    note: str | None
    created_at: dt.datetime
    owner_id: int


class ProductWithCategory(ProductOut):
    category: CategoryOut


class ProductWritten(ProductOut):
    category_id: int


class Page(msgspec.Struct, omit_defaults=True):
    data: list[ProductWithCategory]
    total: int | None = None


class NewProduct(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=100)]
    price: decimal.Decimal
    stock: int
    category_id: int
    active: bool = True
    note: str | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: Annotated[str, msgspec.Meta(max_length=100)] | msgspec.UnsetType = msgspec.UNSET
    price: decimal.Decimal | msgspec.UnsetType = msgspec.UNSET
    stock: int | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET
    note: str | msgspec.UnsetType | None = msgspec.UNSET


class Products(SQLAlchemyAsyncRepositoryService[Product]):
    class Repository(SQLAlchemyAsyncRepository[Product]):
        model_type = Product

    repository_type = Repository


async def _connect() -> Any:
    return await asyncpg.connect(serving.database_url())


engine = create_async_engine("postgresql+asyncpg://", async_creator=_connect, pool_size=10, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)


async def opened_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


async def opened_products(session: AsyncSession) -> Products:
    return Products(session=session)


async def signed_in(request: Request[Any, Any, Any]) -> int:
    user_id = serving.asker(request.headers.get("authorization"))
    if user_id is None:
        raise NotAuthorizedException
    return user_id


_WITH_CATEGORY = [joinedload(Product.category, innerjoin=True)]


def _told(product: Product) -> dict[str, Any]:
    names = ("id", "name", "price", "stock", "active", "note", "created_at", "owner_id")
    return {name: getattr(product, name) for name in names}


def _nested(product: Product) -> ProductWithCategory:
    category = CategoryOut(product.category.id, product.category.name)
    return ProductWithCategory(**_told(product), category=category)


def _written(product: Product) -> ProductWritten:
    return ProductWritten(**_told(product), category_id=product.category_id)


@get("/products/{id:int}")
async def read(id: int, asker: int, products: Products) -> ProductWithCategory:
    try:
        return _nested(await products.get(id, load=_WITH_CATEGORY))
    except NotFoundError as error:
        raise NotFoundException from error


@get("/products")
async def find(
    asker: int,
    products: Products,
    category_id: int | None = None,
    min_price: decimal.Decimal | None = None,
    limit: int = 50,
    total: bool = False,
) -> Page:
    conditions: list[Any] = [LimitOffset(limit, 0)]
    if category_id is not None:
        conditions += [Product.category_id == category_id, Product.active.is_(True)]
    if min_price is not None:
        conditions.append(Product.price >= min_price)
    order = [("id", True)]
    if total:
        rows, count = await products.list_and_count(*conditions, order_by=order, load=_WITH_CATEGORY)
        return Page([_nested(row) for row in rows], count)
    rows = await products.list(*conditions, order_by=order, load=_WITH_CATEGORY)
    return Page([_nested(row) for row in rows])


@patch("/products/{id:int}")
async def change(id: int, data: Change, asker: int, products: Products) -> ProductWritten:
    values = {
        name: value for name, value in msgspec.structs.asdict(data).items() if value is not msgspec.UNSET
    }
    try:
        return _written(await products.update(values, item_id=id, auto_commit=True))
    except NotFoundError as error:
        raise NotFoundException from error


@post("/products")
async def create(data: NewProduct, asker: int, products: Products) -> ProductWritten:
    values = {**msgspec.structs.asdict(data), "owner_id": asker, "created_at": dt.datetime.now(dt.UTC)}
    return _written(await products.create(values, auto_commit=True))


app = Litestar(
    [read, find, change, create],
    dependencies={
        "session": Provide(opened_session),
        "products": Provide(opened_products),
        "asker": Provide(signed_in),
    },
    openapi_config=None,
    logging_config=None,
)

if __name__ == "__main__":
    serving.run(app)
