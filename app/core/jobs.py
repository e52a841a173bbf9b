"""Work that a module wants done again and again: what it says of it. services/schedule does it."""

from collections.abc import Awaitable, Callable

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`work` is awaited every `interval_seconds`, by one process of all that share the database, bound to
    its environment and with the rights of the system.

    `name` is "<module>.<what>", for ever: the database remembers under it when the work was done. `work`
    answers how many things it did (for the log), or None. It is cancelled after `limit_seconds`, and may be
    done twice when a process dies in the middle of it: so it must be idempotent, and had better work in small
    transactions.
    """

    name: str
    interval_seconds: float
    work: Callable[[], Awaitable[int | None]]
    limit_seconds: float = 300
