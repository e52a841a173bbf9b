"""Keeps the embedded database running while the workers live."""

import math
import time

from app.core.errors import StartError
from app.server.embedded import EmbeddedPostgres
from app.server.parent_log import LOGGER
from app.server.processes import ended
from app.server.restarts import Restarts

# Between two looks at a server that was started again: one that ends before it was ready could not start.
_LOOK_SECONDS = 0.1
_TRIM_SECONDS = 60.0
_DISK_FULL = "No space left on device"  # in the last words of PostgreSQL, whose messages are not translated


class DatabaseKeeper:
    """Starts postgres again when it ended by itself; the workers' pools find it by themselves."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._restarts = Restarts()
        self._started = time.monotonic()
        self._was_up = True
        self._look_at = math.inf
        self._restart_at = math.inf
        self._trim_at = self._started + _TRIM_SECONDS

    @property
    def next_look(self) -> float:
        """When to `tend` it again, in time.monotonic(), should no child end before."""
        return min(self._restart_at, self._trim_at, self._look_at)

    def forget_in_child(self) -> None:
        """In a forked worker, which has no part in it."""
        self._server.forget_in_child()

    def tend(self) -> None:
        """Do what is due. Raises StartError when postgres ends again and again."""
        now = time.monotonic()
        if now >= self._trim_at:
            self._trim_at = now + _TRIM_SECONDS
            self._trim_log()
        if self._restart_at == math.inf:
            self._note_ready(now)
            self._note_end(now)
        elif now >= self._restart_at:
            self._restart_at = math.inf
            self._started = now
            self._was_up = False
            self._look_at = now + _LOOK_SECONDS
            self._server.restart()

    def _trim_log(self) -> None:
        try:
            self._server.trim_log()
        except OSError as error:  # a full disk, most likely: no reason to end
            LOGGER.error("the log of PostgreSQL could not be trimmed: %s", error)

    def _note_ready(self, now: float) -> None:
        if now >= self._look_at:
            self._was_up = self._server.is_ready
            self._look_at = math.inf if self._was_up else now + _LOOK_SECONDS

    def _note_end(self, now: float) -> None:
        status = self._server.process.poll()
        if status is None:
            return
        lived = now - self._started
        # A disk that is full will have room again: it is started until then.
        was_up = self._was_up or _DISK_FULL in self._server.last_words()
        delay = self._restarts.delay_after(lived, was_up=was_up)
        if delay is None:
            raise StartError(f"PostgreSQL ends again and again: {self._server.last_words()}")
        LOGGER.error("PostgreSQL %s; it is started again", ended(status))
        self._look_at = math.inf
        self._restart_at = now + delay
