"""FastAPI and SQLAlchemy 2 on asyncpg: a session for each request, models of Pydantic in and out."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
# mypy: disable-error-code="import-not-found,call-arg"

import datetime as dt
import decimal
from collections.abc import AsyncIterator
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, Numeric, String, Text, func, select
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


class CategoryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str


class ProductOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
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


class Page(BaseModel):
    data: list[ProductWithCategory]
    total: int | None = None


class NewProduct(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=100)
    price: decimal.Decimal
    stock: int
    category_id: int
    active: bool = True
    note: str | None = None


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, max_length=100)
    price: decimal.Decimal | None = None
    stock: int | None = None
    active: bool | None = None
    note: str | None = None


async def _connect() -> Any:
    return await asyncpg.connect(serving.database_url())


engine = create_async_engine("postgresql+asyncpg://", async_creator=_connect, pool_size=10, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def opened_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


async def signed_in(authorization: Annotated[str | None, Header()] = None) -> int:
    user_id = serving.asker(authorization)
    if user_id is None:
        raise HTTPException(401)
    return user_id


Session = Annotated[AsyncSession, Depends(opened_session)]
Asker = Annotated[int, Depends(signed_in)]


@app.get("/products/{id}", response_model=ProductWithCategory)
async def read(id: int, asker: Asker, session: Session) -> Any:
    product = await session.get(Product, id, options=[joinedload(Product.category, innerjoin=True)])
    if product is None:
        raise HTTPException(404)
    return product


@app.get("/products", response_model=Page, response_model_exclude_unset=True)
async def find(
    asker: Asker,
    session: Session,
    category_id: int | None = None,
    min_price: decimal.Decimal | None = None,
    limit: int = 50,
    total: bool = False,
) -> Any:
    conditions = []
    if category_id is not None:
        conditions += [Product.category_id == category_id, Product.active]
    if min_price is not None:
        conditions.append(Product.price >= min_price)
    wanted = select(Product).where(*conditions).order_by(Product.id.desc()).limit(limit)
    rows = await session.scalars(wanted.options(joinedload(Product.category, innerjoin=True)))
    page: dict[str, Any] = {"data": list(rows)}
    if total:
        page["total"] = await session.scalar(select(func.count()).select_from(Product).where(*conditions))
    return page


@app.patch("/products/{id}", response_model=ProductWritten)
async def change(id: int, body: Change, asker: Asker, session: Session) -> Any:
    product = await session.get(Product, id)
    if product is None:
        raise HTTPException(404)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(product, name, value)
    await session.commit()
    return product


@app.post("/products", response_model=ProductWritten, status_code=201)
async def create(body: NewProduct, asker: Asker, session: Session) -> Any:
    product = Product(**body.model_dump(), owner_id=asker, created_at=dt.datetime.now(dt.UTC))
    session.add(product)
    await session.commit()
    return product


if __name__ == "__main__":
    serving.run(app)
