"""A pool of connections that costs nothing where nothing happened.

asyncpg's pool sends a reset query on every release and wraps every connection in a proxy; together they
make one row by key twice as dear (381 against 176 microseconds). Here a connection goes back untouched
unless raw SQL ran on it: the verbs never set session state, so there is nothing to leak. What was
cancelled, lost or broken is closed, never reused."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, NamedTuple

import asyncpg

from orm.driver_errors import translated_connect
from orm.errors import PoolExhausted, UsageError
from orm.link import Link

logger = logging.getLogger(__name__)

IDLE_SECONDS = 300.0
"""A connection above the minimum that nobody needed for so long is closed."""

Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]


class _Waiter(NamedTuple):
    """A caller that waits for a connection until `deadline`, a time of the event loop. It is given one, or
    None: there is room for another one."""

    link: "asyncio.Future[Link | None]"
    deadline: float


class Pool:
    """Between `min_size` and `max_size` connections made by `connect`; the most recently used one is
    handed out first.

    Whoever takes a link gives it back with `give`, in a `finally`. A caller waits at most `wait_seconds`
    for one. `prepares` and `timeout`: see Link."""

    def __init__(
        self,
        connect: Connect,
        *,
        min_size: int,
        max_size: int,
        wait_seconds: float,
        prepares: bool = True,
        timeout: float | None = None,
    ) -> None:
        if not 0 <= min_size <= max_size or max_size < 1:
            raise ValueError(
                f"min_size is {min_size} and max_size {max_size}: "
                "0 <= min_size <= max_size, and max_size is at least 1"
            )
        self._connect = connect
        self._min_size = min_size
        self._max_size = max_size
        self._wait_seconds = wait_seconds
        self._prepares = prepares
        self._timeout = timeout
        self._idle: list[Link] = []
        self._waiters: deque[_Waiter] = deque()
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0
        self._links: set[Link] = set()
        self._connecting = 0
        self._chores: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._round_trips = 0

    @property
    def size(self) -> int:
        """Connections that exist or are being made."""
        return len(self._links) + self._connecting

    @property
    def idle(self) -> int:
        """Connections that nobody uses."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection."""
        return len(self._waiters)

    @property
    def round_trips(self) -> int:
        """Messages to the server that were waited for, over the life of the pool: transactions, prepares
        and resets included."""
        return self._round_trips + sum(link.round_trips for link in self._links)

    async def open(self) -> None:
        """Make the first connections. Raises DatabaseUnavailable when that fails."""
        for _ in range(max(1, self._min_size)):
            self.give(await self._grow())

    def take_idle(self) -> Link | None:
        """A connection for the caller alone, at once; None when none lies idle: then `take` one.

        Apart from `take` because a coroutine for nothing costs as much as the rest of it (0.3 us)."""
        while self._idle:
            link = self._idle.pop()
            if not link.is_broken:
                return link
            self._drop(link)
        return None

    async def take(self) -> Link:
        """A connection for the caller alone. Raises PoolExhausted after the wait, DatabaseUnavailable when
        none can be made."""
        link = self.take_idle()
        if link is not None:
            return link
        if self._is_closed:
            raise UsageError("the database is closed")
        if self.size < self._max_size:
            return await self._grow()
        return await self._wait()

    def give(self, link: Link) -> None:
        """Take `link` back; whoever waits longest gets it."""
        if link.is_broken or link.needs_reset or self._waiters or self._is_closed:
            self._give_with_care(link)
            return
        # the clock is only looked at where there are too many
        self._idle.append(link)
        if len(self._links) > self._min_size:
            link.idle_since = perf_counter()
            self._shrink(link.idle_since)

    def _give_with_care(self, link: Link) -> None:
        if self._is_closed or link.is_broken:
            self._drop(link)
        elif link.needs_reset:
            self._own(self._reset(link))
        elif not self._hand_over(link):
            self._idle.append(link)

    def cut_off(self, after_seconds: float) -> int:
        """End the connections that have waited longer than this for an answer, and say how many they were.

        For a server that is gone without a word: it does not keep the time that it was given for a statement.
        Called now and then from outside, because a timer for each statement would cost as much as all else
        that is done for it here (1 us)."""
        before = perf_counter() - after_seconds
        stuck = [link for link in self._links if 0.0 < link.asked_at < before]
        for link in stuck:
            link.cut_off()
        return len(stuck)

    async def close(self) -> None:
        """Close every connection; those in use as soon as they are given back. May be called twice."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters:
            waiter = self._waiters.popleft().link
            if not waiter.done():
                waiter.set_exception(
                    UsageError("the database was closed while a caller waited for a connection")
                )
        while self._idle:
            self._drop(self._idle.pop())
        while self._chores:
            await asyncio.wait(self._chores)

    async def _grow(self) -> Link:
        self._connecting += 1
        try:
            async with translated_connect():
                connection = await self._connect()
        except BaseException:
            self._wake_one()
            raise
        finally:
            self._connecting -= 1
        link = Link(connection, prepares=self._prepares, timeout=self._timeout)
        self._links.add(link)
        return link

    async def _wait(self) -> Link:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_seconds
        while True:
            waiter = _Waiter(loop.create_future(), deadline)
            self._waiters.append(waiter)
            self._expire_at(loop, deadline)
            try:
                link = await waiter.link
            except BaseException:
                self._forget(waiter)
                raise
            if link is None:  # a place became free because a connection was lost; much may have come between
                link = self.take_idle()
            if link is not None:
                return link
            if self._is_closed:
                raise UsageError("the database is closed")
            if self.size < self._max_size:
                return await self._grow()

    def _expire_at(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        """Have the deadlines of waiters looked at, at the latest at this one.

        One timer serves them all: where there are more callers than connections nearly every request waits,
        and a timer of its own would cost it a tenth of its time."""
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        # noted apart: for a moment that is nearly here uvloop gives a handle that does not know its time
        self._timer_at = deadline
        self._timer = loop.call_at(deadline, self._expire, loop)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse those who have waited long enough."""
        self._timer = None
        now = loop.time()
        for waiter in [one for one in self._waiters if one.deadline <= now]:
            self._waiters.remove(waiter)
            if not waiter.link.done():
                waiter.link.set_exception(
                    PoolExhausted(
                        f"all {self._max_size} database connections were in use for {self._wait_seconds:g} s"
                    )
                )
        if self._waiters:
            self._expire_at(loop, min(waiter.deadline for waiter in self._waiters))

    def _forget(self, waiter: _Waiter) -> None:
        """A caller stopped waiting, perhaps in the very moment in which it was served."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif waiter.link.done() and not waiter.link.cancelled() and waiter.link.exception() is None:
            link = waiter.link.result()
            if link is None:
                self._wake_one()
            else:
                self.give(link)

    def _hand_over(self, link: Link | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft().link
            if not waiter.done():
                waiter.set_result(link)
                return True
        return False

    def _wake_one(self) -> None:
        self._hand_over(None)

    def _shrink(self, now: float) -> None:
        """Close the connection that lay idle longest, when it is one too many."""
        oldest = self._idle[0]
        if len(self._links) > self._min_size and now - oldest.idle_since > IDLE_SECONDS:
            del self._idle[0]
            self._drop(oldest)

    def _drop(self, link: Link) -> None:
        self._links.discard(link)
        self._round_trips += link.round_trips
        self._own(link.close())
        self._wake_one()

    async def _reset(self, link: Link) -> None:
        try:
            await link.reset()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            logger.warning("a connection could not be reset and is closed: %s", error)
            link.is_broken = True
        self.give(link)

    def _own(self, chore: Any) -> None:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
