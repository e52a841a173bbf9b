"""Tasks with an owner: a reference is kept, an exception is seen, the end is awaited."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Tasks:
    """A set of background tasks that ends with its owner; after `stop` nothing is started any more."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    def __len__(self) -> int:
        """How many are running."""
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Start `work`. If it fails, the failure is logged with its stack under `name`."""
        if self._is_stopped:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancel what runs and wait until all of it is over. May be called twice."""
        self._is_stopped = True
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("background task %s failed", task.get_name(), exc_info=error)
