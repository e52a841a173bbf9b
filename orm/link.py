"""One connection to PostgreSQL with the statements prepared on it.

asyncpg's own `fetch` looks a statement up in a cache of its own at every call; holding the prepared
statements here saves half of that (176 against 248 microseconds of wall time for one row by key, the
pool's share included)."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

PREPARED_STATEMENTS = 128
"""Kept on each connection. The server holds 10 to 50 kB for each, so ten connections cost at most some 60
MB there."""

CLOSE_SECONDS = 2.0

RESET = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); "
    "DISCARD SEQUENCES; DISCARD TEMP"
)
"""DISCARD ALL without what would also throw away the statements prepared here."""


class Link:
    """A connection, used by one task at a time. `is_broken` says that its state is unknown and that it
    must not be used again."""

    __slots__ = (
        "_prepares",
        "_statements",
        "connection",
        "idle_since",
        "is_broken",
        "needs_reset",
        "round_trips",
    )

    def __init__(self, connection: "asyncpg.Connection[Any]", *, prepares: bool) -> None:
        self.connection = connection
        self._prepares = prepares
        self._statements: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()
        self.idle_since = 0.0
        self.is_broken = False
        self.needs_reset = False
        self.round_trips = 0

    @property
    def is_usable(self) -> bool:
        """Whether another task may have it."""
        return not self.is_broken and not self.connection.is_closed()

    async def fetch(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of one statement. Raises what the driver raises."""
        return (await self.run(text, values))[0]

    async def run(self, text: str, values: Sequence[Any]) -> tuple[list[Any], str]:
        """The rows of one statement and its command tag ("UPDATE 3")."""
        self.round_trips += 1
        try:
            if not self._prepares:
                return await self._run_unprepared(text, values)
            statement = self._statements.get(text)
            if statement is None:
                statement = await self._prepare(text)
            else:
                self._statements.move_to_end(text)
            try:
                return await statement.fetch(*values), statement.get_statusmsg()
            except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError):
                # a column changed its type since the statement was prepared; nothing was executed
                del self._statements[text]
                if self.connection.is_in_transaction():
                    raise
                statement = await self._prepare(text)
                return await statement.fetch(*values), statement.get_statusmsg()
        except BaseException as error:
            self._judge(error)
            raise

    async def command(self, text: str) -> str:
        """Run text without values, several statements too, and give back the last command tag."""
        self.round_trips += 1
        try:
            return str(await self.connection.execute(text))
        except BaseException as error:
            self._judge(error)
            raise

    async def open_cursor(self, text: str, values: Sequence[Any]) -> Any:
        """A cursor of the driver over the rows of one statement, inside a transaction."""
        self.round_trips += 1
        try:
            statement = await self.connection.prepare(text)
            return await statement.cursor(*values)
        except BaseException as error:
            self._judge(error)
            raise

    async def close(self) -> None:
        """Say goodbye to the server; a statement that was cancelled half-way is waited for at most two
        seconds."""
        self._statements.clear()
        try:
            await self.connection.close(timeout=CLOSE_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            self.connection.terminate()

    async def reset(self) -> None:
        """Undo whatever raw SQL may have set on the session. Prepared statements stay."""
        if self.connection.is_in_transaction():
            await self.command("ROLLBACK")
        async with asyncio.timeout(CLOSE_SECONDS):
            await self.command(RESET)
        self.needs_reset = False

    async def _prepare(self, text: str) -> "PreparedStatement[Any]":
        self.round_trips += 1
        statement = self._statements[text] = await self.connection.prepare(text)
        if len(self._statements) > PREPARED_STATEMENTS:
            self._statements.popitem(last=False)  # asyncpg deallocates it once nothing refers to it
        return statement

    async def _run_unprepared(self, text: str, values: Sequence[Any]) -> tuple[list[Any], str]:
        statement = await self.connection.prepare(text, name="")
        try:
            return await statement.fetch(*values), statement.get_statusmsg()
        except (asyncpg.DataError, asyncpg.InterfaceError):
            # Values that the driver cannot encode are never sent. The parsed statement would then wait for
            # them, and until it is over the pooler keeps its server connection for us alone.
            if not (self.connection.is_closed() or self.connection.is_in_transaction()):
                await self.connection.execute("SELECT")
            raise

    def _judge(self, error: BaseException) -> None:
        """Note what `error` means for the connection; raise a plainer one where it turned out to be
        closed.

        After a cancellation, or an error in the middle of the protocol, nobody knows what the server still
        sends: such a connection is broken.
        """
        if isinstance(error, asyncio.CancelledError | TimeoutError | OSError | asyncpg.InternalClientError):
            self.is_broken = True
        elif isinstance(error, asyncpg.InterfaceError) and self.connection.is_closed():
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
