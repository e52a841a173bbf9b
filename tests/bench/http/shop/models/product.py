"""What is for sale."""

import datetime as dt
import decimal

from app.core.stamps import asker_id
from orm import Boolean, Char, Datetime, Decimal, DotModel, Integer, Many2one, Ref, Text, utc_now
from services.users.models import User
from tests.bench.http.shop.models.category import Category


class Product(DotModel):
    """A row of `products`. It belongs to whoever made it."""

    __table__ = "products"

    name: str = Char(max_length=100, required=True)
    price: decimal.Decimal = Decimal(12, 2, min=0, required=True)
    stock: int = Integer(required=True)
    active: bool = Boolean(default=True, required=True)
    note: str | None = Text()
    created_at: dt.datetime = Datetime(default=utc_now, required=True, readonly=True)
    owner_id: Ref[User] = Many2one("users", required=True, default=asker_id)
    category_id: Ref[Category] = Many2one("categories", required=True)
