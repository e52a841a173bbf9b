"""Which processor core is whose: clients and the database do not take each other's time."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """None: not pinned."""

    client: int | None
    database: int | None

    def __str__(self) -> str:
        if self.client is None:
            return "not pinned"
        where = "not pinned" if self.database is None else f"on core {self.database}"
        return f"client on core {self.client}, database {where}"


def choose_cores(*, owns_database: bool) -> Cores:
    """The first core that this process may use for clients, the last one for a database of our own.

    Nothing is pinned on a single core, or where the system cannot pin."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return Cores(None, None)
    return Cores(cores[0], cores[-1] if owns_database else None)


def pin(pid: int, core: int | None) -> None:
    """Keep a process, and those that it will start, on `core`; None: leave it where it is."""
    if core is not None:
        os.sched_setaffinity(pid, {core})
