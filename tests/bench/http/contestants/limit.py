"""The limit: what a careful author writes by hand for these five cases, and nothing else.

Starlette, asyncpg and msgspec; one statement for each request on a pool that sends no reset query; the token
is checked by PyJWT each time. Every case can be answered in two ways: rows that become Structs, and, below
/json, documents that PostgreSQL builds and that are passed through. The rig times the better one of each."""

import datetime as dt
import decimal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from tests.bench.http import serving

_COLUMNS: Final = "p.id, p.name, p.price, p.stock, p.active, p.note, p.created_at, p.owner_id"
_JOINED: Final = f"{_COLUMNS}, c.id, c.name FROM products p JOIN categories c ON c.id = p.category_id"
_RETURNED: Final = "id, name, price, stock, active, note, created_at, owner_id, category_id"
_OBJECT: Final = """json_build_object('id', p.id, 'name', p.name, 'price', p.price::text, 'stock', p.stock,
'active', p.active, 'note', p.note, 'created_at', p.created_at, 'owner_id', p.owner_id"""
_NESTED: Final = f"{_OBJECT}, 'category', json_build_object('id', c.id, 'name', c.name))"
_FLAT: Final = f"{_OBJECT}, 'category_id', p.category_id)"

_GET: Final = f"SELECT {_JOINED} WHERE p.id = $1"
_JSON_GET: Final = f"""SELECT {_NESTED}::text
FROM products p JOIN categories c ON c.id = p.category_id WHERE p.id = $1"""
_OF_CATEGORY: Final = "p.category_id = $1 AND p.active"
_FROM_PRICE: Final = "p.price >= $1"


def _list(where: str) -> str:
    return f"SELECT {_JOINED} WHERE {where} ORDER BY p.id DESC LIMIT $2"


def _counted(where: str) -> str:
    return (
        f"SELECT {_COLUMNS}, c.id, c.name, p.total FROM "
        f"(SELECT *, count(*) OVER () AS total FROM products p WHERE {where} ORDER BY p.id DESC LIMIT $2) p "
        "JOIN categories c ON c.id = p.category_id ORDER BY p.id DESC"
    )


def _json_list(where: str) -> str:
    return f"""SELECT coalesce(json_agg({_NESTED} ORDER BY p.id DESC), '[]')::text FROM
(SELECT * FROM products p WHERE {where} ORDER BY p.id DESC LIMIT $2) p
JOIN categories c ON c.id = p.category_id"""


def _json_counted(where: str) -> str:
    return f"""SELECT coalesce(json_agg({_NESTED} ORDER BY p.id DESC), '[]')::text, coalesce(max(p.total), 0)
FROM (SELECT *, count(*) OVER () AS total FROM products p WHERE {where} ORDER BY p.id DESC LIMIT $2) p
JOIN categories c ON c.id = p.category_id"""


_INSERT: Final = """INSERT INTO products AS p
(name, price, stock, active, note, category_id, owner_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now()) RETURNING """


class Category(msgspec.Struct, gc=False):
    id: int
    name: str


class Product(msgspec.Struct, gc=False):
    id: int
    name: str
    price: decimal.Decimal
    stock: int
    active: bool
    note: str | None
    created_at: dt.datetime
    owner_id: int


class WithCategory(Product, gc=False):
    category: Category


class Written(Product, gc=False):
    category_id: int


class Page(msgspec.Struct, gc=False):
    data: Any
    total: int | UnsetType = UNSET


_Name = Annotated[str, Meta(max_length=100)]
_Stock = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
_Price = Annotated[decimal.Decimal, Meta()]


class NewProduct(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    price: _Price
    stock: _Stock
    category_id: int
    active: bool = True
    note: str | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name | UnsetType = UNSET
    price: _Price | UnsetType = UNSET
    stock: _Stock | UnsetType = UNSET
    category_id: int | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


_encode: Final = msgspec.json.Encoder().encode
_decode_new: Final = msgspec.json.Decoder(NewProduct).decode
_decode_change: Final = msgspec.json.Decoder(Change).decode

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _asker(request: Request) -> int:
    user_id = serving.asker(request.headers.get("authorization"))
    if user_id is None:
        raise HTTPException(401)
    return user_id


def _answer(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


def _with_category(row: Any) -> WithCategory:
    # by place: names cost as much again
    a, b, c, d, e, f, g, h, category_id, category_name = row
    return WithCategory(a, b, c, d, e, f, g, h, Category(category_id, category_name))


def _wanted(request: Request) -> tuple[str, Any, int, bool]:
    """The condition, its value, how many rows, and whether the total is wanted."""
    query = request.query_params
    limit = int(query.get("limit", "50"))
    if "category_id" in query:
        return _OF_CATEGORY, int(query["category_id"]), limit, "total" in query
    return _FROM_PRICE, decimal.Decimal(query["min_price"]), limit, "total" in query


class Service:
    """The handlers. Statements of a PATCH are kept by the fields that it names."""

    def __init__(self) -> None:
        self.pool: Any = None
        self._updates: dict[tuple[str, ...], str] = {}

    @asynccontextmanager
    async def open(self, app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(serving.database_url(), min_size=10, max_size=10, reset=_keep) as pool:
            self.pool = pool
            yield

    async def get(self, request: Request) -> Response:
        _asker(request)
        row = await self.pool.fetchrow(_GET, request.path_params["id"])
        if row is None:
            raise HTTPException(404)
        return _answer(_encode(_with_category(row)))

    async def json_get(self, request: Request) -> Response:
        _asker(request)
        text = await self.pool.fetchval(_JSON_GET, request.path_params["id"])
        if text is None:
            raise HTTPException(404)
        return _answer(text.encode())

    async def find(self, request: Request) -> Response:
        _asker(request)
        where, value, limit, is_counted = _wanted(request)
        if not is_counted:
            rows = await self.pool.fetch(_list(where), value, limit)
            return _answer(_encode(Page([_with_category(row) for row in rows])))
        rows = await self.pool.fetch(_counted(where), value, limit)
        found = [
            WithCategory(a, b, c, d, e, f, g, h, Category(i, j)) for a, b, c, d, e, f, g, h, i, j, _ in rows
        ]
        return _answer(_encode(Page(found, rows[0][10] if rows else 0)))

    async def json_find(self, request: Request) -> Response:
        _asker(request)
        where, value, limit, is_counted = _wanted(request)
        if not is_counted:
            text = await self.pool.fetchval(_json_list(where), value, limit)
            return _answer(_encode(Page(msgspec.Raw(text.encode()))))
        text, total = await self.pool.fetchrow(_json_counted(where), value, limit)
        return _answer(_encode(Page(msgspec.Raw(text.encode()), total)))

    async def change(self, request: Request) -> Response:
        row = await self._changed(request, _RETURNED)
        return _answer(_encode(Written(*row)))

    async def json_change(self, request: Request) -> Response:
        row = await self._changed(request, f"{_FLAT}::text")
        return _answer(row[0].encode())

    async def create(self, request: Request) -> Response:
        row = await self._created(request, _RETURNED)
        return _answer(_encode(Written(*row)), 201)

    async def json_create(self, request: Request) -> Response:
        row = await self._created(request, f"{_FLAT}::text")
        return _answer(row[0].encode(), 201)

    async def _changed(self, request: Request, returned: str) -> Sequence[Any]:
        _asker(request)
        change = _read(_decode_change, await request.body())
        given = [name for name in Change.__struct_fields__ if getattr(change, name) is not UNSET]
        key = (returned, *given)
        statement = self._updates.get(key)
        if statement is None:
            places = ", ".join(f"{name} = ${number}" for number, name in enumerate(given, 2))
            statement = f"UPDATE products p SET {places} WHERE p.id = $1 RETURNING {returned}"
            self._updates[key] = statement
        values = [getattr(change, name) for name in given]
        row: Sequence[Any] | None = await self.pool.fetchrow(statement, request.path_params["id"], *values)
        if row is None:
            raise HTTPException(404)
        return row

    async def _created(self, request: Request, returned: str) -> Sequence[Any]:
        user_id = _asker(request)
        new = _read(_decode_new, await request.body())
        row: Sequence[Any] = await self.pool.fetchrow(
            _INSERT + returned,
            new.name,
            new.price,
            new.stock,
            new.active,
            new.note,
            new.category_id,
            user_id,
        )
        return row


async def _keep(connection: Any) -> None:
    """Connections go back as they are: no handler touches the state of a session."""


def _read(decode: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise HTTPException(422, str(error)) from error


def make_app() -> Starlette:
    """The service, both ways."""
    service = Service()

    def routes(get: Handler, find: Handler, change: Handler, create: Handler) -> list[Route]:
        return [
            Route("/products/{id:int}", get, methods=["GET"]),
            Route("/products/{id:int}", change, methods=["PATCH"]),
            Route("/products", find, methods=["GET"]),
            Route("/products", create, methods=["POST"]),
        ]

    plain = routes(service.get, service.find, service.change, service.create)
    by_json = routes(service.json_get, service.json_find, service.json_change, service.json_create)
    return Starlette(routes=[*plain, Mount("/json", routes=by_json)], lifespan=service.open)


if __name__ == "__main__":
    serving.run(make_app())
