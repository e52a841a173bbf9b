"""FastAPI and Tortoise, with models of Pydantic in and out."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
# mypy: disable-error-code="import-not-found,call-arg"

import datetime as dt
import decimal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from tortoise import Model, fields
from tortoise.contrib.fastapi import RegisterTortoise

from tests.bench.http import serving
from tests.bench.orm.common import connection_arguments


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
    owner_id = fields.BigIntField()
    category: Any = fields.ForeignKeyField("bench.Category", related_name="products")

    class Meta:
        table = "products"


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


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    credentials = {**connection_arguments(serving.database_url()), "minsize": 10, "maxsize": 10}
    engine = {"engine": "tortoise.backends.asyncpg", "credentials": credentials}
    config = {
        "connections": {"default": engine},
        "apps": {"bench": {"models": [__name__], "default_connection": "default"}},
        "use_tz": True,
    }
    async with RegisterTortoise(app, config=config):
        yield


app = FastAPI(lifespan=lifespan)


async def signed_in(authorization: Annotated[str | None, Header()] = None) -> int:
    user_id = serving.asker(authorization)
    if user_id is None:
        raise HTTPException(401)
    return user_id


Asker = Annotated[int, Depends(signed_in)]


@app.get("/products/{id}", response_model=ProductWithCategory)
async def read(id: int, asker: Asker) -> Any:
    product = await Product.get_or_none(id=id).select_related("category")
    if product is None:
        raise HTTPException(404)
    return product


@app.get("/products", response_model=Page, response_model_exclude_unset=True)
async def find(
    asker: Asker,
    category_id: int | None = None,
    min_price: decimal.Decimal | None = None,
    limit: int = 50,
    total: bool = False,
) -> Any:
    wanted = Product.all()
    if category_id is not None:
        wanted = wanted.filter(category_id=category_id, active=True)
    if min_price is not None:
        wanted = wanted.filter(price__gte=min_price)
    page: dict[str, Any] = {"data": await wanted.order_by("-id").limit(limit).select_related("category")}
    if total:
        page["total"] = await wanted.count()
    return page


@app.patch("/products/{id}", response_model=ProductWritten)
async def change(id: int, body: Change, asker: Asker) -> Any:
    product = await Product.get_or_none(id=id)
    if product is None:
        raise HTTPException(404)
    values = body.model_dump(exclude_unset=True)
    await product.update_from_dict(values).save(update_fields=list(values))
    return product


@app.post("/products", response_model=ProductWritten, status_code=201)
async def create(body: NewProduct, asker: Asker) -> Any:
    return await Product.create(**body.model_dump(), owner_id=asker, created_at=dt.datetime.now(dt.UTC))


if __name__ == "__main__":
    serving.run(app)
