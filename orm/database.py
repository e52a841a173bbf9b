"""The database of one home: a pool, transactions, raw SQL, and the statements of the verbs."""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from orm import context
from orm.driver_errors import DRIVER_ERRORS, translate
from orm.errors import DatabaseUnavailable, UsageError
from orm.keep_alive import keep_alive
from orm.link import Link
from orm.pool import Connect, Pool
from orm.transaction import Callback, Isolation, Transaction, active
from sql import statements

if TYPE_CHECKING:
    from orm.registry import Registry

_SQL = statements("orm/marks")

OLDEST_SERVER = 14
CONNECT_SECONDS = 5.0

_ARRAYS = (
    "bigint", "integer", "smallint", "double precision", "numeric", "boolean", "text", "varchar",
    "date", "time", "timestamptz", "bytea", "uuid", "jsonb",
)  # fmt: skip


async def _learn_types(connection: "asyncpg.Connection[Any]") -> None:
    """Let asyncpg look up the array types that statements use.

    It would do so at their first use, and set `jit` on the session around it: behind a pooler on whichever
    session it meets. What a transaction sets is gone when it is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        casts = ", ".join(f"${number}::{name}[]" for number, name in enumerate(_ARRAYS, 1))
        await connection.prepare(f"SELECT {casts}", name="")
    finally:
        await transaction.rollback()


class Database:
    """Owns the pool. Every method joins the transaction that is open in the context, or takes a connection
    for itself alone.

    `registry`, once set, lets violated constraints be named by model and field.
    """

    def __init__(
        self,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        wait_seconds: float = 2.0,
        statement_timeout_seconds: float = 10.0,
        pooler: bool = False,
        connect: Connect | None = None,
    ) -> None:
        self.url = url
        self._pooler = pooler
        self._statement_timeout_seconds = statement_timeout_seconds
        self.pool = Pool(
            connect or self.connect,
            min_size=min_size,
            max_size=max_size,
            wait_seconds=wait_seconds,
            prepares=not pooler,
            timeout=(statement_timeout_seconds or None) if pooler else None,
        )
        self.registry: Registry | None = None

    async def open(self) -> None:
        """Make the first connection. Raises DatabaseUnavailable, also for a server that is too old."""
        await self.pool.open()
        link = await self.pool.take()
        try:
            version = link.connection.get_server_version()
        finally:
            self.pool.give(link)
        if version.major < OLDEST_SERVER:
            await self.close()
            raise DatabaseUnavailable(
                f"the server is PostgreSQL {version.major}; {OLDEST_SERVER} or newer is needed"
            )

    async def close(self) -> None:
        """Close every connection. May be called twice, and without `open`."""
        await self.pool.close()

    async def connect(self, url: str | None = None) -> "asyncpg.Connection[Any]":
        """A connection outside of the pool, with the same settings (to `url` instead, when given). The
        caller closes it."""
        several_hosts = "," in self.url
        connection = await asyncpg.connect(
            url or self.url,
            timeout=CONNECT_SECONDS,
            # Link holds the prepared statements; the size only tells asyncpg whether statements may have
            # names at all
            statement_cache_size=0 if self._pooler else 1,
            server_settings=None if self._pooler else self._server_settings(),
            target_session_attrs="read-write" if several_hosts else None,
        )
        keep_alive(connection)
        if self._pooler:
            await _learn_types(connection)
        return connection

    def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, retries: int = 0
    ) -> Transaction:
        """A block in which every statement of this context belongs to one transaction; inside another one, a
        savepoint. As a decorator it does so for every call of a function:

            @env.db.transaction(isolation="serializable", retries=3)
            async def move(...): ...

        `retries` calls a function again that lost against a concurrent transaction (serialization failure or
        deadlock). A block cannot be run again: there TransactionConflict is raised.
        """
        return Transaction(self, isolation=isolation, readonly=readonly, retries=retries)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open in this context."""
        return active(self) is not None

    def on_commit(self, callback: Callback) -> None:
        """Call `callback` after the open transaction has committed. Raises UsageError outside of one."""
        transaction = active(self)
        if transaction is None:
            raise UsageError("on_commit needs an open transaction: `async with env.db.transaction():`")
        transaction.on_commit(callback)

    def now(self) -> datetime.datetime:
        """The moment at which the open transaction began, or this moment. Aware, UTC."""
        transaction = active(self)
        return transaction.now if transaction else datetime.datetime.now(datetime.UTC)

    async def announce(self) -> None:
        """The open transaction knows who writes: the marks of the bound home are its settings until it ends,
        `user_id` as `current_setting('starling.user_id', true)`, and so on.

        Sent once for each transaction, and again when another asker goes on in it. The verbs of a model with
        `__audit__` do it themselves; hand-written statements on its table are preceded by it. Raises
        UsageError outside of a transaction."""
        transaction = active(self)
        if transaction is None:
            raise UsageError("announce() needs an open transaction: `async with env.db.transaction():`")
        marks = dict(context.current().marks())
        if transaction.announced != marks:
            await self.run(_SQL["announce"], [list(marks), list(marks.values())])
            transaction.announced = marks

    # -- statements of the verbs --------------------------------------------------------------------

    async def run(self, text: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of one statement."""
        transaction = active(self)
        try:
            if transaction is not None:
                return await transaction.fetch(text, values)
            link = self.pool.take_idle() or await self.pool.take()
            try:
                return await link.fetch(text, values)
            finally:
                self.pool.give(link)
        except DRIVER_ERRORS as error:
            raise self._ours(error) from error

    async def run_tagged(self, text: str, values: Sequence[Any] = ()) -> tuple[list[Any], str]:
        """The rows of one statement and its command tag."""
        transaction = active(self)
        try:
            if transaction is not None:
                return await transaction.run(text, values)
            link = self.pool.take_idle() or await self.pool.take()
            try:
                return await link.fetch(text, values), link.tag
            finally:
                self.pool.give(link)
        except DRIVER_ERRORS as error:
            raise self._ours(error) from error

    # -- raw SQL ------------------------------------------------------------------------------------

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """The rows of `sql`, as the driver gives them (by index and by name). Nothing is checked: this is
        the program's own SQL."""
        return await self.run(sql, values)

    async def fetchrow(self, sql: str, *values: Any) -> Any | None:
        """The first row of `sql`, or None."""
        rows = await self.run(sql, values)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """The first column of the first row of `sql`, or None."""
        rows = await self.run(sql, values)
        return rows[0][0] if rows else None

    async def execute(self, sql: str, *values: Any) -> str:
        """Run `sql`, whatever it is, and give back its command tag. The connection is reset before anybody
        else gets it."""
        transaction = active(self)
        with self.translated():
            if transaction is not None:
                transaction.mark_for_reset()
                return (await transaction.run(sql, values))[1] if values else await transaction.command(sql)
            link = await self.pool.take()
            link.needs_reset = True
            try:
                return await self._execute(link, sql, values)
            finally:
                self.pool.give(link)

    async def _execute(self, link: Link, sql: str, values: Sequence[Any]) -> str:
        if not values:
            return await link.command(sql)
        await link.fetch(sql, values)
        return link.tag

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Inside the block errors of the driver become ours."""
        try:
            yield
        except DRIVER_ERRORS as error:
            raise self._ours(error) from error

    def _ours(self, error: BaseException) -> BaseException:
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            transaction = active(self)
            if transaction is not None and transaction.is_readonly:
                return UsageError(
                    "this transaction was opened with readonly=True: nothing can be written in it"
                )
        return translate(error, self.registry) or error

    @property
    def transaction_settings(self) -> str:
        """What follows BEGIN in the same message. Behind a pooler no session has our settings, so that each
        transaction brings its time limits along; a statement outside of one is cancelled from here (Link)."""
        if not self._pooler:
            return ""
        return "".join(f"; SET LOCAL {name} = {limit}" for name, limit in self._limits().items())

    def _limits(self) -> dict[str, int]:
        """Time limits that the server holds to, in milliseconds; 0 is none."""
        timeout = round(self._statement_timeout_seconds * 1000)
        return {
            "statement_timeout": timeout,
            # an abandoned transaction keeps its locks: whatever has not spoken for so long is ended by the
            # server
            "idle_in_transaction_session_timeout": max(timeout * 3, 60_000),
        }

    def _server_settings(self) -> dict[str, str]:
        return {
            "application_name": "starling",
            "tcp_keepalives_idle": "60",  # a process that vanished holds its locks until the server notices
            "timezone": "UTC",
            **{name: str(limit) for name, limit in self._limits().items()},
            "jit": "off",  # it costs milliseconds and pays only for statements that run for seconds
        }
