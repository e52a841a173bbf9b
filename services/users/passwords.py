"""Passwords as they are kept: argon2id, computed beside the event loop and never too much of it at once."""

import asyncio
import base64
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type

from app.core.errors import Unavailable
from orm.errors import UsageError
from services.users.rules import composed_password

T = TypeVar("T")

# What the OWASP Password Storage Cheat Sheet asks for at least: 19 MiB, 2 passes, 1 lane. It took 22 ms on
# one core of the server that it was measured on. More memory would be stronger, but a board with 512 MiB must
# bear two of them beside all else; its equivalent of one pass over 46 MiB took 54 ms.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
HASH_BYTES: Final = 32
SALT_BYTES: Final = 16

MOST_THREADS: Final = 2
"""More would sign people in faster only where nothing else is to be done, and each holds 19 MiB."""

MOST_PENDING: Final = 50
"""Hashes under way and waiting: half a second's work on a server, several on a small board. Who would have
to wait longer is better told at once."""

_NICENESS: Final = 10  # about a tenth of a core that the event loop wants, too


class Passwords:
    """Hashes and verifies passwords in threads of its own, between `start` and `stop`.

    At most `threads` at a time (default: one for each core, and no more than two), in low priority where the
    system has one for threads, and at most `most_pending` in all: beyond that Unavailable is raised, so that
    a flood of sign-ins neither grows nor starves what else the process does. Whoever is cancelled while he
    waits gives up his place.
    """

    def __init__(self, *, threads: int | None = None, most_pending: int = MOST_PENDING) -> None:
        self._hasher = PasswordHasher(
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=Type.ID,
        )
        self._nobodys_hash = _hash_of_nothing()
        self._threads = threads or min(_cores(), MOST_THREADS)
        self._most_pending = most_pending
        self._pending = 0
        self._executor: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """From now on passwords can be hashed. Threads are made when there is something to do."""
        self._executor = ThreadPoolExecutor(
            self._threads, thread_name_prefix="passwords", initializer=_give_way_to_others
        )

    async def stop(self) -> None:
        """What runs is waited for, what waits is cancelled. May be called twice, and without `start`."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What to store for `password`, of which it does not check the length. Raises Unavailable."""
        return await self._run(self._hasher.hash, _bytes(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one that `stored` was made from. Raises Unavailable.

        None, for a user that does not exist, takes as long as a wrong password and is False.
        """
        return await self._run(self._matches, stored or self._nobodys_hash, _bytes(password))

    def is_outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's: then hash anew."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._executor is None:
            raise UsageError("passwords are hashed between start() and stop() of the users service only")
        if self._pending >= self._most_pending:
            raise Unavailable(
                "Too many people are signing in at this moment: try again soon.", retry_after_seconds=2
            )
        loop = asyncio.get_running_loop()
        future = self._executor.submit(work, *arguments)
        self._pending += 1
        # By the future's end, not by the caller's: one who goes away leaves a thread that is still at work.
        future.add_done_callback(lambda _: _call_soon(loop, self._one_less))
        return await asyncio.wrap_future(future)

    def _one_less(self) -> None:
        self._pending -= 1


def _bytes(password: str) -> bytes:
    # Half a surrogate pair, which no JSON brings in, is a password like any other.
    return composed_password(password).encode("utf-8", "surrogatepass")


def _hash_of_nothing() -> str:
    """A hash in the right form that was not made from anything: to verify against it costs the same."""
    salt, digest = (
        base64.b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (SALT_BYTES, HASH_BYTES)
    )
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _give_way_to_others() -> None:
    if sys.platform == "linux":  # where a thread has a niceness of its own
        with contextlib.suppress(OSError):  # a sandbox may forbid it; it is a kindness, not a need
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody counts any more
        loop.call_soon_threadsafe(callback)
