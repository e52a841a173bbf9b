"""uvicorn's server as a worker runs it: its own tick, and an end that loses no request."""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn

from app.server.protocols import GuardedConfig

IDLE_SECONDS: Final = 1.0
"""How long, at the end, an idle connection is left open for a request that is on its way: it is answered,
with the word that it was the last one. A client that is silent for longer has to expect the end anyway."""

_TICK_SECONDS: Final = 1.0
_LAGS: Final = 15  # as many seconds as a scraper usually leaves between two looks
_LOOK_SECONDS: Final = 0.02

_logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn's server, stopped by `stop` instead of by signal handlers of its own."""

    def __init__(self, config: GuardedConfig) -> None:
        super().__init__(config)
        self._guard = config.guard
        self._stopping = asyncio.Event()
        self.lags: deque[float] = deque(maxlen=_LAGS)
        """By how many seconds the event loop was late, at each of the last ticks."""
        self.each_second: Callable[[], None] | None = None

    async def wait_for_stop(self) -> None:
        """Return when it is told to stop."""
        await self._stopping.wait()

    def stop(self) -> None:
        """Leave off accepting, drain, and return from `serve`."""
        self.should_exit = True
        self._stopping.set()

    def abandon(self) -> None:
        """Stop without draining."""
        self.force_exit = True
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the worker."""
        yield

    async def main_loop(self) -> None:
        """Renew the Date header each second until stopped. uvicorn's own loop wakes ten times as often."""
        loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            expected = loop.time() + _TICK_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_SECONDS)
            self.lags.append(max(0.0, loop.time() - expected))
            if self.each_second is not None:
                self.each_second()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, say goodbye to sockets, and return when all requests are answered, at the
        latest after the time to stop; what is not answered then is cancelled."""
        for server in self.servers:
            server.close()
        for opened in sockets or ():
            opened.close()
        self._guard.is_stopping = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        stop_seconds = self.config.timeout_graceful_shutdown or 0
        for connection in self._connections():
            connection.begin_stop()
        await asyncio.sleep(_LOOK_SECONDS)  # for connections that were accepted just before
        while self._connections() or self.server_state.tasks:
            if self.force_exit or loop.time() - began >= stop_seconds:
                break
            if loop.time() - began >= IDLE_SECONDS:
                for connection in self._connections():
                    connection.end_if_idle()
            await asyncio.sleep(_LOOK_SECONDS)
        await self._cut_off()

    async def _cut_off(self) -> None:
        """End what is still there."""
        tasks = set(self.server_state.tasks)
        if tasks:
            _logger.warning("%d requests were not answered in time and are cut off", len(tasks))
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        for connection in self._connections():
            connection.transport.abort()

    def _connections(self) -> list[Any]:
        return list(self.server_state.connections)
