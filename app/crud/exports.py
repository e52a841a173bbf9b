"""How much of a process exports may take: rows, seconds, and how many run at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from app.core.errors import TooManyRequests

COME_BACK_SECONDS: Final = 5
"""What who finds no place is told to wait."""


class ExportLimits(NamedTuple):
    """Rows of one export, seconds that it may take, and how many of them run in one process at once."""

    rows: int = 100_000
    seconds: float = 120
    at_once: int = 2


class Exports:
    """The places for exports in one process. Each export holds a connection for as long as its client reads:
    there must be some left for everybody else."""

    def __init__(self, limits: ExportLimits | None = None) -> None:
        self.limits = ExportLimits() if limits is None else limits
        self._running = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Inside the block one place is taken. Raises TooManyRequests when there is none."""
        most = self.limits.at_once
        if self._running >= most:
            raise TooManyRequests(
                f"{most} exports are under way in this process: come back when one is over.",
                retry_after_seconds=COME_BACK_SECONDS,
            )
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
