"""PiccoloCRUD: an API that is made from a table, as Starling's is; the owner is set by a hook."""

# Its types are not installed where the types of this repository are checked.
# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
# mypy: disable-error-code="import-not-found,call-arg"

import contextvars
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from piccolo.columns import BigInt, Boolean, ForeignKey, Integer, Numeric, Text, Timestamptz, Varchar
from piccolo.columns.column_types import BigSerial
from piccolo.engine.postgres import PostgresEngine
from piccolo.table import Table
from piccolo_api.crud.endpoints import PiccoloCRUD
from piccolo_api.crud.hooks import Hook, HookType
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.bench.http import serving
from tests.bench.orm.common import connection_arguments

ENGINE = PostgresEngine(config=connection_arguments(serving.database_url()))
asker: contextvars.ContextVar[int] = contextvars.ContextVar("asker")


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
    owner_id = BigInt(required=False)
    category_id = ForeignKey(Category)


async def stamp(row: Any) -> Any:
    row.owner_id, row.created_at = asker.get(), dt.datetime.now(dt.UTC)
    return row


class Checked:
    """Asks for a token before anything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = dict(scope["headers"]).get(b"authorization", b"").decode()
        user_id = serving.asker(header)
        if user_id is None:
            await Response(status_code=401)(scope, receive, send)
            return
        token = asker.set(user_id)
        try:
            await self._app(scope, receive, send)
        finally:
            asker.reset(token)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    await ENGINE.start_connection_pool(min_size=10, max_size=10)
    yield
    await ENGINE.close_connection_pool()


products = PiccoloCRUD(
    Product,
    read_only=False,
    max_joins=1,
    page_size=100,
    hooks=[Hook(hook_type=HookType.pre_save, callable=stamp)],
)
app = Starlette(routes=[Mount("/products", Checked(products))], lifespan=lifespan)

if __name__ == "__main__":
    serving.run(app)
