"""The limit: asyncpg by hand, one connection held all along, every statement prepared once."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from tests.bench.orm.common import Contestant, serve
from tests.bench.orm.data import COLUMNS, JOINED, SEARCHED, WRITTEN

_ALL = ", ".join(COLUMNS)
_PARAMETERS = ", ".join(f"${number}" for number in range(1, len(WRITTEN) + 1))
_ARRAYS = (
    "$1::varchar[], $2::numeric[], $3::integer[], $4::boolean[], $5::text[], $6::timestamptz[], $7::bigint[]"
)

GET = f"SELECT {_ALL} FROM products WHERE id = $1"
SEARCH = f"SELECT {_ALL} FROM products WHERE stock >= $1 ORDER BY id LIMIT $2"
JOIN = (
    f"SELECT {', '.join(f'p.{name}' for name in COLUMNS)}, c.id AS cid, c.name AS cname FROM products p "
    "JOIN categories c ON c.id = p.category_id WHERE p.stock >= $1 ORDER BY p.id LIMIT $2"
)
INSERT = f"INSERT INTO products ({', '.join(WRITTEN)}) VALUES ({_PARAMETERS}) RETURNING {_ALL}"
INSERT_MANY = f"INSERT INTO products ({', '.join(WRITTEN)}) SELECT * FROM unnest({_ARRAYS}) RETURNING id"
LOAD = f"SELECT {_ALL} FROM products WHERE id = ANY($1::bigint[])"
UPDATE = "UPDATE products SET stock = $1 WHERE id = $2 RETURNING stock"
DELETE = "DELETE FROM products WHERE id = $1"


class _RecordsOfAsyncpg(Contestant):
    def value(self, record: Any, column: str) -> Any:
        return record[column]

    def category_name(self, record: Any) -> str:
        return str(record["cname"])


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The values of `rows` as one array for each column."""
    return [[row[name] for row in rows] for name in WRITTEN]


class Raw(_RecordsOfAsyncpg):
    """No look-up of a statement, no pool, no reset."""

    async def open(self, url: str) -> None:
        self._connection = await asyncpg.connect(url)
        prepare = self._connection.prepare
        self._get = await prepare(GET)
        self._search = await prepare(SEARCH)
        self._join = await prepare(JOIN)
        self._insert = await prepare(INSERT)
        self._insert_many = await prepare(INSERT_MANY)
        self._update = await prepare(UPDATE)
        self._delete = await prepare(DELETE)

    async def close(self) -> None:
        await self._connection.close()

    async def get(self, id: int) -> Any:
        return await self._get.fetchrow(id)

    async def search(self, stock: int) -> Any:
        return await self._search.fetch(stock, SEARCHED)

    async def joined(self, stock: int) -> Any:
        return await self._join.fetch(stock, JOINED)

    async def insert(self, row: Mapping[str, Any]) -> Any:
        return await self._insert.fetchrow(*row.values())

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        return [row[0] for row in await self._insert_many.fetch(*columns_of(rows))]

    async def load(self, ids: Sequence[int]) -> Any:
        return await self._connection.fetch(LOAD, ids)

    async def update(self, record: Any, stock: int) -> Any:
        return await self._update.fetchval(stock, record["id"])

    async def delete(self, record: Any) -> Any:
        return await self._delete.fetch(record["id"])


class RawPool(_RecordsOfAsyncpg):
    """asyncpg's pool with its defaults: what most hand-written programs do."""

    async def open(self, url: str) -> None:
        self._pool = await asyncpg.create_pool(url)

    async def close(self) -> None:
        await self._pool.close()

    async def get(self, id: int) -> Any:
        return await self._pool.fetchrow(GET, id)

    async def search(self, stock: int) -> Any:
        return await self._pool.fetch(SEARCH, stock, SEARCHED)

    async def joined(self, stock: int) -> Any:
        return await self._pool.fetch(JOIN, stock, JOINED)

    async def insert(self, row: Mapping[str, Any]) -> Any:
        return await self._pool.fetchrow(INSERT, *row.values())

    async def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        return [row[0] for row in await self._pool.fetch(INSERT_MANY, *columns_of(rows))]

    async def load(self, ids: Sequence[int]) -> Any:
        return await self._pool.fetch(LOAD, ids)

    async def update(self, record: Any, stock: int) -> Any:
        return await self._pool.fetchval(UPDATE, stock, record["id"])

    async def delete(self, record: Any) -> Any:
        return await self._pool.execute(DELETE, record["id"])


if __name__ == "__main__":
    serve(Raw())
