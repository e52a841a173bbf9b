"""One connection to PostgreSQL with the statements prepared on it.

asyncpg's own `fetch` looks a statement up in a cache of its own at every call; holding the prepared
statements here saves half of that (176 against 248 microseconds of wall time for one row by key, the
pool's share included)."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, Final

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from orm.builder.text import ByValues
from orm.tally import current_tally

PREPARED_STATEMENTS = 128
"""Kept on each connection. The server holds 10 to 50 kB for each, so ten connections cost at most some 60
MB there."""

CLOSE_SECONDS = 2.0

RESET = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); "
    "DISCARD SEQUENCES; DISCARD TEMP"
)
"""DISCARD ALL without what would also throw away the statements prepared here."""


PLANNED_BY_VALUES: Final = 5
"""So many executions of a prepared statement PostgreSQL plans for their values; from then on it may not. A
statement that wants to be planned each time is prepared anew after them: a fifth of two round trips (15 to 25
us; a statement without a name would cost a whole one each time, 65 us)."""

_OUTDATED: Final = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""A column changed its type since the statement was prepared; nothing was executed."""

_BREAKING: Final = (
    asyncio.CancelledError,
    TimeoutError,
    OSError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,
)


class Link:
    """A connection, used by one task at a time. `is_broken` says that its state is unknown, or that its
    server cannot be written to any more, and that it must not be used again.

    `asked_at` is when the statement under way was sent (perf_counter), 0 when none is: see Pool.cut_off.

    `timeout` is for connections whose server keeps no time: a statement that takes longer is cancelled from
    here. None: the server does it (statement_timeout)."""

    __slots__ = (
        "_last",
        "_planned",
        "_prepares",
        "_statements",
        "asked_at",
        "connection",
        "idle_since",
        "is_broken",
        "needs_reset",
        "round_trips",
        "timeout",
    )

    def __init__(
        self, connection: "asyncpg.Connection[Any]", *, prepares: bool, timeout: float | None = None
    ) -> None:
        self.connection = connection
        self._prepares = prepares
        self._statements: OrderedDict[str, PreparedStatement[Any]] = OrderedDict()
        self._planned: dict[str, int] = {}
        self._last: PreparedStatement[Any] | None = None
        self.asked_at = 0.0
        self.idle_since = 0.0
        self.is_broken = False
        self.needs_reset = False
        self.round_trips = 0
        self.timeout = timeout
        # noted when it happens, so that nobody has to ask before each statement
        connection.add_termination_listener(self._note_end)

    def _note_end(self, connection: Any) -> None:
        self.is_broken = True

    @property
    def tag(self) -> str:
        """The command tag of the last statement that was fetched ("UPDATE 3")."""
        assert self._last is not None, "nothing was fetched yet"
        return str(self._last.get_statusmsg())

    async def fetch(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of one statement. Raises what the driver raises."""
        statement = self._statements.get(text)
        if text.__class__ is ByValues and statement is not None:
            statement = self._planned_by_values(text, statement)
        self.round_trips += 1
        tally, began = current_tally(), perf_counter()
        self.asked_at = began
        try:
            if statement is None:
                return await self._fetch_first(text, values)
            self._statements.move_to_end(text)
            self._last = statement
            rows: list[Any] = await statement.fetch(*values, timeout=self.timeout)
            return rows
        except _OUTDATED:
            self._forget(text)
            if statement is None or self.connection.is_in_transaction():
                raise
        except BaseException as error:
            self._judge(error)
            raise
        finally:
            self.asked_at = 0.0
            if tally is not None:
                tally.add_since(began)
        return await self.fetch(text, values)

    async def command(self, text: str) -> str:
        """Run text without values, several statements too, and give back the last command tag."""
        with self._asking():
            return str(await self.connection.execute(text, timeout=self.timeout))

    async def open_cursor(self, text: str, values: Sequence[Any]) -> Any:
        """A cursor of the driver over the rows of one statement, inside a transaction."""
        with self._asking():
            statement = await self.connection.prepare(str(text), timeout=self.timeout)
            return await statement.cursor(*values, timeout=self.timeout)

    async def fetch_from(self, cursor: Any, count: int) -> list[Any]:
        """The next rows of a cursor that was opened here, at most `count`."""
        with self._asking():
            rows: list[Any] = await cursor.fetch(count, timeout=self.timeout)
            return rows

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """One message to the server, which is counted, and judged when it fails. `fetch`, which most requests
        wait for, does the same by itself: entering this costs 1 us."""
        self.round_trips += 1
        tally, began = current_tally(), perf_counter()
        self.asked_at = began
        try:
            yield
        except BaseException as error:
            self._judge(error)
            raise
        finally:
            self.asked_at = 0.0
            if tally is not None:
                tally.add_since(began)

    def cut_off(self) -> None:
        """End the connection without a word: whoever waits for an answer has lost it."""
        self.is_broken = True
        self.connection.terminate()

    async def close(self) -> None:
        """Say goodbye to the server; a statement that was cancelled half-way is waited for at most two
        seconds."""
        self._statements.clear()
        self._planned.clear()
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

    def _planned_by_values(
        self, text: str, statement: "PreparedStatement[Any]"
    ) -> "PreparedStatement[Any] | None":
        """`statement`, or None when the server may no longer plan it for its values."""
        done = self._planned.get(text, 1)
        if done < PLANNED_BY_VALUES:
            self._planned[text] = done + 1
            return statement
        self._forget(text)
        return None

    def _forget(self, text: str) -> None:
        self._statements.pop(text, None)  # asyncpg deallocates it once nothing refers to it
        self._planned.pop(text, None)

    async def _fetch_first(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement that is not prepared here."""
        if not self._prepares:
            return await self._fetch_unprepared(text, values)
        self.round_trips += 1
        statement = self._statements[text] = await self.connection.prepare(str(text), timeout=self.timeout)
        if len(self._statements) > PREPARED_STATEMENTS:
            self._forget(next(iter(self._statements)))
        self._last = statement
        rows: list[Any] = await statement.fetch(*values, timeout=self.timeout)
        return rows

    async def _fetch_unprepared(self, text: str, values: Sequence[Any]) -> list[Any]:
        statement = self._last = await self.connection.prepare(str(text), name="", timeout=self.timeout)
        try:
            rows: list[Any] = await statement.fetch(*values, timeout=self.timeout)
            return rows
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
        sends: such a connection is broken. So is one whose server was demoted to a standby: the next one is
        made to the host that can be written to.
        """
        if isinstance(error, _BREAKING):
            self.is_broken = True
        if isinstance(error, TimeoutError) and self.timeout is not None:
            raise asyncpg.QueryCanceledError("the statement took too long and was cancelled") from error
        if isinstance(error, asyncpg.InterfaceError) and self.connection.is_closed():
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
