"""The database of the environment: a pool, the tables of the models, and a watch on whether it answers."""

from urllib.parse import urlsplit

import asyncpg
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.errors import StartError
from app.core.service import Info, Service
from app.http.metrics import metrics_of
from orm.database import Database
from orm.errors import Problem
from orm.schema.apply import SchemaMismatch, bring_up
from orm.schema.migrations import FOLDER
from services.dotorm_databases_postgres.numbers import numbers
from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.dotorm_databases_postgres.watch import DatabaseWatch


class DatabasePostgres(Service):
    """Opens `env.db`, makes missing tables and applies safe additions, and reports to readiness."""

    info = Info(
        name="dotorm_databases_postgres", summary="PostgreSQL: pool, schema, health", depends=("logger",)
    )

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._db: Database | None = None
        self._watch: DatabaseWatch | None = None

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
            routines = {name: text for module in self.env.apps for name, text in module.routines().items()}
            await bring_up(self._db, self.env.registry, routines, folder=FOLDER)
        except SchemaMismatch as error:
            raise StartError(f"DATABASE__URL ({address(settings.url)}): {error}") from error
        except Problem as error:
            raise StartError(f"DATABASE__URL ({address(settings.url)}): {_reason(error)}") from error
        self.env.db = self._db
        self._watch = DatabaseWatch(self._db, statement_timeout_seconds=settings.statement_timeout_seconds)
        self.env.add_readiness_check("database", self._watch.trouble)
        self._watch.start()
        db, watch = self._db, self._watch
        metrics_of(app).source(lambda: numbers(db, watch.trouble()))

    async def shutdown(self, app: Starlette) -> None:
        """End the watch and close the pool."""
        if self._watch is not None:
            await self._watch.stop()
        if self._db is not None:
            await self._db.close()


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
