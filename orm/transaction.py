"""Transactions that every verb inside them joins.

The open transaction travels in a context variable, so that verbs need no handle. A task that is started
inside inherits it; using it from two tasks at once, or after its block has ended, is refused with a
sentence rather than left to the driver."""

import asyncio
import datetime
import functools
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

from orm.errors import ConcurrentUse, TransactionConflict, TransactionOver, UsageError
from orm.link import Link

if TYPE_CHECKING:
    from orm.database import Database

logger = logging.getLogger(__name__)

Isolation = Literal["read committed", "repeatable read", "serializable"]
Callback = Callable[[], Awaitable[None] | None]

P = ParamSpec("P")
R = TypeVar("R")

RETRY_SECONDS: Final = 0.01
"""The longest pause before the first retry; it doubles with each one."""

_LEVELS: Final = ("read committed", "repeatable read", "serializable")

_current: ContextVar["Transaction | None"] = ContextVar("starling_transaction", default=None)


class _Work:
    """What the nested blocks of one transaction share: the connection, who is innermost, and whether a
    statement runs: as long as its own block lasts."""

    __slots__ = ("innermost", "is_busy", "link", "savepoints", "timeout")

    def __init__(self, link: Link) -> None:
        self.link = link
        self.timeout = link.timeout
        self.innermost: Transaction | None = None
        self.is_busy = False
        self.savepoints = 0

    def __enter__(self) -> Link:
        self.is_busy = True
        return self.link

    def __exit__(self, *error: object) -> None:
        self.is_busy = False


class Transaction:
    """One block of `async with db.transaction():`, or every call of a function that it decorates.

    A block inside another one is a savepoint. `retries` is for functions: one that loses against a concurrent
    transaction is called again, in a transaction of its own, so many times. A block cannot be run again.

    `now` is the moment at which the outermost block opened: one transaction, one clock.
    """

    def __init__(
        self, database: "Database", *, isolation: Isolation | None, readonly: bool, retries: int = 0
    ) -> None:
        if retries < 0:
            raise ValueError(f"retries={retries}: 0 or more")
        if isolation is not None and isolation not in _LEVELS:
            raise ValueError(f"isolation={isolation!r}: it is one of {', '.join(_LEVELS)}")
        self.database = database
        self.now = datetime.datetime.now(datetime.UTC)
        self.announced: Mapping[str, str] | None = None
        """The marks that Database.announce has set for this block, from within it or one around it."""
        self._isolation = isolation
        self._readonly = readonly
        self._retries = retries
        self._surrounding: Transaction | None = None
        self._outer: Transaction | None = None
        self._work: _Work | None = None
        self._savepoint = ""
        self._callbacks: list[Callback] = []
        self._is_entered = False

    @property
    def is_readonly(self) -> bool:
        """Whether the outermost block was opened to read only."""
        return self._readonly if self._outer is None else self._outer.is_readonly

    def __call__(self, work: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        """`work`, each call of it in a transaction with these options; inside another one, in a savepoint."""

        @functools.wraps(work)
        async def called(*args: P.args, **kwargs: P.kwargs) -> R:
            attempts = 1 if active(self.database) is not None else self._retries + 1
            for attempt in range(attempts - 1):
                try:
                    return await self._once(work, *args, **kwargs)
                except TransactionConflict:
                    # both sides of a deadlock come back: the pause is what keeps them from meeting again
                    await asyncio.sleep(random.uniform(0, RETRY_SECONDS * 2**attempt))  # noqa: S311 - a pause
            return await self._once(work, *args, **kwargs)

        return called

    async def _once(self, work: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        async with Transaction(self.database, isolation=self._isolation, readonly=self._readonly):
            return await work(*args, **kwargs)

    async def __aenter__(self) -> "Transaction":
        await self.open(active(self.database))
        self._surrounding = _current.get()
        _current.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.set(self._surrounding)
        await self.close(failed=kind is not None)

    async def open(self, outer: "Transaction | None" = None) -> None:
        """Begin, without binding the context: for one that is used by hand. `close` has to follow."""
        if self._is_entered:
            raise UsageError("a transaction object opens one block; call db.transaction() again")
        self._is_entered = True
        self._outer = outer
        if outer is None:
            await self._begin()
        else:
            await self._open_savepoint(outer)

    async def close(self, *, failed: bool) -> None:
        """Commit, or when it `failed` roll back; then call what waited for the commit."""
        work = self._work
        if work is None:
            raise UsageError("this transaction is not open")
        self._work = None
        if work.innermost is not self or work.is_busy:
            work.link.is_broken = True  # another task still works in here: nobody can say what it has done
        try:
            if self._outer is None:
                await self._end(work, failed=failed)
            else:
                await self._close_savepoint(work, self._outer, failed=failed)
        finally:
            if self._outer is None:
                work.link.timeout = work.timeout
                self.database.pool.give(work.link)
        if self._outer is None and not failed:
            await self._tell()

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Inside the block the statements of this context belong to this transaction."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def on_commit(self, callback: Callback) -> None:
        """Call `callback` (a function or coroutine function without arguments) once the outermost block
        has committed.

        Callbacks run in order, outside of the transaction. One registered in a block that is rolled back
        never runs. One that raises is logged: what is committed stays so."""
        if not callable(callback):
            raise UsageError(f"on_commit takes a function, not {callback!r}")
        self._callbacks.append(callback)

    async def fetch(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of one statement inside this transaction. Raises ConcurrentUse, TransactionOver."""
        with self._statement() as link:
            return await link.fetch(text, values)

    async def run(self, text: str, values: Sequence[Any]) -> tuple[list[Any], str]:
        """The same, and the command tag."""
        with self._statement() as link:
            return await link.fetch(text, values), link.tag

    async def command(self, text: str) -> str:
        """Run text without values and give back its command tag."""
        with self._statement() as link:
            return await link.command(text)

    async def open_cursor(self, text: str, values: Sequence[Any]) -> "Cursor":
        """A server-side cursor over the rows of one statement. It lives as long as this block."""
        with self._statement() as link:
            return Cursor(self, await link.open_cursor(text, values))

    async def fetch_from(self, cursor: Any, count: int) -> list[Any]:
        """The next rows of a cursor of the driver that was opened here."""
        with self.database.translated(), self._statement() as link:
            return await link.fetch_from(cursor, count)

    async def lift_timeout(self) -> None:
        """Until the end of the outermost block no statement of it has a time limit: for work on the
        schema."""
        with self.database.translated(), self._statement() as link:
            await link.command("SET LOCAL statement_timeout = 0")
            link.timeout = None

    def mark_for_reset(self) -> None:
        """Raw SQL ran: the connection is reset before anybody else gets it."""
        if self._work is not None:
            self._work.link.needs_reset = True

    def _statement(self) -> _Work:
        """The block in which one statement runs. Raises ConcurrentUse, TransactionOver."""
        work = self._work
        if work is None:
            raise TransactionOver(
                "this transaction is over; a task that outlives its block cannot use it, open a new one there"
            )
        if work.is_busy or work.innermost is not self:
            raise ConcurrentUse(
                "this transaction is in use by another task; "
                "await the verbs one after the other, or open a transaction in each task"
            )
        return work

    async def _begin(self) -> None:
        link = await self.database.pool.take()
        work = _Work(link)
        work.innermost = self
        words = ["BEGIN"]
        if self._isolation:
            words.append(f"ISOLATION LEVEL {self._isolation.upper()}")
        if self._readonly:
            words.append("READ ONLY")
        try:
            with self.database.translated():
                await link.command(" ".join(words) + self.database.transaction_settings)
        except BaseException:
            self.database.pool.give(link)
            raise
        self._work = work

    async def _open_savepoint(self, outer: "Transaction") -> None:
        if self._isolation is not None or self._readonly:
            raise UsageError(
                "isolation and readonly belong to the outermost transaction; a nested block is a savepoint"
            )
        self.now = outer.now
        self.announced = outer.announced
        work = outer._statement()
        work.savepoints += 1
        self._savepoint = f"s{work.savepoints}"
        with self.database.translated(), work as link:
            await link.command(f"SAVEPOINT {self._savepoint}")
        work.innermost = self
        self._work = work

    async def _end(self, work: _Work, *, failed: bool) -> None:
        if work.link.is_broken:
            if not failed:
                raise ConcurrentUse(
                    "the transaction ended while another task still used it; it is rolled back"
                )
            return  # closing the connection rolls back
        with self.database.translated():
            tag = await work.link.command("ROLLBACK" if failed else "COMMIT")
        if not failed and tag == "ROLLBACK":
            raise UsageError(
                "a statement of this transaction had failed and the error was swallowed: "
                "everything was rolled back"
            )

    async def _close_savepoint(self, work: _Work, outer: "Transaction", *, failed: bool) -> None:
        work.innermost = outer
        if work.link.is_broken:
            return
        verb = "ROLLBACK TO" if failed else "RELEASE"
        with self.database.translated():
            await work.link.command(f"{verb} {self._savepoint}")
        if not failed:
            outer._callbacks.extend(self._callbacks)
            outer.announced = self.announced  # rolled back, what it set is as it was before

    async def _tell(self) -> None:
        for callback in self._callbacks:
            try:
                outcome = callback()
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                logger.exception("an on_commit callback failed; the transaction is committed all the same")


class Cursor:
    """A cursor that is read like any other statement of its transaction: by one task at a time, while it
    is open."""

    def __init__(self, transaction: Transaction, cursor: Any) -> None:
        self._transaction = transaction
        self._cursor = cursor

    async def fetch(self, count: int) -> list[Any]:
        """The next rows, at most `count`; none at the end."""
        return await self._transaction.fetch_from(self._cursor, count)


def active(database: "Database") -> Transaction | None:
    """The innermost open transaction of `database` in this context, or None."""
    transaction = _current.get()
    while transaction is not None and transaction.database is not database:
        transaction = transaction._surrounding
    return transaction
