"""Models for tests of the ORM: a small shop with every kind of field, and a home to use them in."""

import datetime as dt
import decimal
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orm import (
    AccessPolicy,
    BigInteger,
    Binary,
    Boolean,
    Char,
    Database,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Integer,
    JSONField,
    Many2one,
    Ref,
    Registry,
    Selection,
    SmallInteger,
    Text,
    Time,
    Uuid,
    context,
    utc_now,
)
from orm.schema.apply import bring_up


class Category(DotModel):
    __table__ = "categories"

    name: str = Char(max_length=50, required=True, unique=True)
    parent_id: Ref["Category"] | None = Many2one(lambda: Category, ondelete="set null")


class Product(DotModel):
    __table__ = "products"
    __indexes__: ClassVar[Sequence[Sequence[str]]] = (("kind", "-id"),)
    __unique__ = (("category_id", "code"),)

    name: str = Char(max_length=40, required=True)
    code: str | None = Char(max_length=10, pattern="^[A-Z]+$")
    kind: str = Selection(options=[("good", "Good"), ("service", "Service")], default="good")
    price: decimal.Decimal | None = Decimal(10, 2, min=0)
    stock: int = Integer(default=0, min=-100, max=1000)
    weight: float | None = Float()
    rating: int | None = SmallInteger()
    views: int = BigInteger(default=0)
    active: bool = Boolean(default=True)
    note: str | None = Text()
    data: Any | None = JSONField()
    blob: bytes | None = Binary()
    token: uuid.UUID | None = Uuid()
    day: dt.date | None = Date()
    hour: dt.time | None = Time()
    created_at: dt.datetime = Datetime(default=utc_now)
    secret: str | None = Char(private=True)
    category_id: Ref["Category"] | None = Many2one("categories")


SHOP: Mapping[str, type[DotModel]] = {"category": Category, "product": Product}


@dataclass
class ShopHome:
    """A home of the ORM without an application around it."""

    db: Database
    registry: Registry
    policy: AccessPolicy | None = None
    told: Mapping[str, str] = field(default_factory=dict)

    def marks(self) -> Mapping[str, str]:
        """What a test says of who writes."""
        return self.told


@asynccontextmanager
async def shop(
    database_url: str,
    *,
    models: Mapping[str, type[DotModel]] = SHOP,
    policy: AccessPolicy | None = None,
    **options: Any,
) -> AsyncIterator[ShopHome]:
    """A home on an empty database, its tables made, bound to this context until the block ends."""
    home = ShopHome(Database(database_url, **options), Registry.compose(models), policy)
    home.db.registry = home.registry
    await home.db.open()
    try:
        with context.bind(home):
            await bring_up(home.db, home.registry)
            yield home
    finally:
        await home.db.close()
