"""The database of a run, and the Starling that made its tables."""

import datetime as dt
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx
import jwt

from tests.bench.cores import Cores
from tests.bench.http.contestant import Contestant
from tests.bench.http.dialects import StarlingDialect
from tests.bench.http.servers import ServerFailed, ServerProcess, free_port, python, server
from tests.bench.http.serving import ALGORITHM, AUDIENCE, ISSUER
from tests.bench.http.shape import FILL

SECRET: Final = "a key that signs tokens in benchmarks and nowhere else"
PASSWORD: Final = "correct horse battery staple"
_POOL: Final = 10


@dataclass
class World:
    """The filled database. `user_id` owns all of the `products`, but for one with the id `foreign_id`."""

    url: str
    connection: "asyncpg.Connection[Any]"
    products: int
    user_id: int
    foreign_id: int
    admin: Contestant
    user: Contestant

    @property
    def starling(self) -> ServerProcess:
        """The server of both."""
        return self.admin.server

    def token(self) -> str:
        """A token that the services check which are written by hand: his who owns the products."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(self.user_id),
            "sid": "1",
            "jti": secrets.token_urlsafe(12),
            "iat": dt.datetime.now(dt.UTC),
            "exp": dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
        }
        return jwt.encode(claims, SECRET, algorithm=ALGORITHM)

    async def tidy(self) -> None:
        """The table as it was, but for the stock of some products."""
        await self.connection.execute("DELETE FROM products WHERE id > $1", self.foreign_id)
        await self.connection.execute("VACUUM products")


def starling_environ(database_url: str, port: int) -> dict[str, str]:
    """The settings of Starling in a run: the usual ones, tokens that outlive it, and no log of requests, as
    the others have none."""
    return {
        "DATABASE__URL": database_url,
        "DATABASE__POOL_MAX": str(_POOL),
        "HTTP__PORT": str(port),
        "AUTH__SECRET": SECRET,
        "AUTH__ADMIN_PASSWORD": PASSWORD,
        "AUTH__ACCESS_TTL_SECONDS": "86400",
        "LOGGER__LEVEL": "warning",
    }


@asynccontextmanager
async def world(url: str, cores: Cores, products: int) -> AsyncIterator[World]:
    """A Starling on the empty database of `url`, and its filled tables. Raises ServerFailed."""
    port = free_port()
    module = "tests.bench.http.contestants.starling"
    environ = starling_environ(url, port)
    async with server(
        "Starling", python(module), environ, port=port, core=cores.client, ready="/health/ready"
    ) as running:
        async with httpx.AsyncClient(base_url=running.base) as client:
            admin_id, admin = await sign_in(client, "admin")
            made = await client.post(
                "/api/users",
                json={"login": "ada", "name": "Ada", "password": PASSWORD},
                headers={"Authorization": f"Bearer {admin}"},
            )
            if made.status_code != 201:
                raise ServerFailed(f"a user cannot be made: {made.text}")
            user_id, user = await sign_in(client, "ada")
        connection = await asyncpg.connect(url)
        try:
            foreign_id = await _fill(connection, products, user_id, admin_id)
            yield World(
                url,
                connection,
                products,
                user_id,
                foreign_id,
                Contestant("Starling, administrator", running, StarlingDialect(), admin),
                Contestant("Starling, user under a rule", running, StarlingDialect(), user),
            )
        finally:
            await connection.close()


async def sign_in(client: httpx.AsyncClient, login: str) -> tuple[int, str]:
    """The id of a user, and a token. Raises ServerFailed."""
    answer = await client.post("/signin", json={"login": login, "password": PASSWORD})
    if answer.status_code != 200:
        raise ServerFailed(f"{login} cannot sign in: {answer.text}")
    found = answer.json()
    return found["user"]["id"], found["access_token"]


async def _fill(connection: "asyncpg.Connection[Any]", products: int, user_id: int, admin_id: int) -> int:
    """Fill the tables; the id of the one product that is the administrator's, and that no search finds."""
    # the run vacuums between rounds: nothing may start in the middle of one
    await connection.execute("ALTER TABLE products SET (autovacuum_enabled = false)")
    await connection.execute(FILL[0])
    await connection.execute(FILL[1], products, user_id)
    foreign_id: int = await connection.fetchval(
        "INSERT INTO products (name, price, stock, active, created_at, owner_id, category_id) "
        "VALUES ('Not yours', 0, 0, false, now(), $1, 1) RETURNING id",
        admin_id,
    )
    await connection.execute("VACUUM (FREEZE, ANALYZE)")
    return foreign_id
