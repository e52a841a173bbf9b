"""The database of the environment: a pool, the tables of the models, and a watch on whether it answers."""

import asyncio
import contextlib
import logging
from urllib.parse import urlsplit

import asyncpg
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.errors import StartError
from app.core.service import Info, Service
from orm.database import Database
from orm.errors import Problem
from orm.schema.apply import SchemaMismatch, bring_up
from services.dotorm_databases_postgres.settings import DatabaseSettings

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
"""Between two looks at the database: readiness says within two seconds that it is away."""


class DatabasePostgres(Service):
    """Opens `env.db`, makes missing tables and applies safe additions, and reports to readiness."""

    info = Info(
        name="dotorm_databases_postgres", summary="PostgreSQL: pool, schema, health", depends=("logger",)
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._db: Database | None = None
        self._watch: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    async def startup(self, app: Starlette) -> None:
        """Open the pool and bring the schema up. Raises StartError with one sentence when the database cannot
        be used."""
        settings = self.env.settings.section(DatabaseSettings)
        if settings.url is None:
            raise StartError(
                "DATABASE__URL is not set: "
                "`starling serve` starts the embedded database for you, everything else needs the URL"
            )
        self._db = Database(
            settings.url,
            min_size=settings.pool_min,
            max_size=settings.pool_max,
            wait_seconds=settings.pool_wait_seconds,
            statement_timeout_seconds=settings.statement_timeout_seconds,
            pooler=settings.pooler,
        )
        self._db.registry = self.env.registry
        try:
            await self._db.open()
            await bring_up(self._db, self.env.registry)
        except SchemaMismatch as error:
            raise StartError(f"DATABASE__URL ({address(settings.url)}): {error}") from error
        except Problem as error:
            raise StartError(f"DATABASE__URL ({address(settings.url)}): {_reason(error)}") from error
        self.env.db = self._db
        self.env.add_readiness_check("database", lambda: self._trouble)
        self._watch = asyncio.create_task(self._look_after(self._db), name="database watch")

    async def shutdown(self, app: Starlette) -> None:
        """End the watch and close the pool."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._db is not None:
            await self._db.close()

    async def _look_after(self, db: Database) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await db.fetchval("SELECT 1")
            except (Problem, TimeoutError) as error:
                if self._trouble is None:
                    logger.warning("the database does not answer: %s", error)
                self._trouble = "the database does not answer"
            else:
                if self._trouble is not None:
                    logger.info("the database answers again")
                self._trouble = None


def address(url: str) -> str:
    """Where `url` points, without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or "unix socket"
    return f"{host}{parts.path}"


def _reason(error: Problem) -> str:
    """What the driver said of a database that cannot be used, in words that name the remedy."""
    cause = error.__cause__
    if isinstance(cause, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError):
        return f"the server refuses this user or password ({cause})"
    if isinstance(cause, asyncpg.InvalidCatalogNameError):
        return f"{cause}; create it, or name another one"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there; is PostgreSQL running?"
    if cause is not None and str(cause):
        return f"{error} ({cause})"
    return str(error)
