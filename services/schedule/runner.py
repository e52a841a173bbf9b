"""Doing the jobs, one after the other, as they become due."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from app.core.errors import described
from app.core.jobs import Job
from app.http.metrics import Counter
from orm.database import Database
from services.schedule import store
from services.schedule.store import Claim

LOOK_SECONDS: Final = 30.0
"""The longest time between two looks: a job is late by so much at most. A look is one short statement."""

_SHORTEST_LOOK_SECONDS: Final = 0.05
_AFTER_TROUBLE_SECONDS: Final = 5.0

_logger = logging.getLogger(__name__)


class Runner:
    """Does `jobs` inside of `acting()` while it runs; `done` counts by job and result."""

    def __init__(
        self,
        db: Database,
        jobs: Sequence[Job],
        *,
        acting: Callable[[], AbstractContextManager[None]],
        done: Counter,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._db = db
        self._jobs = {job.name: job for job in jobs}
        self._acting = acting
        self._done = done
        self._look_seconds = look_seconds
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Do them from now on, until `stop`."""
        if self._jobs:
            self._running = asyncio.create_task(self._keep_doing(), name="schedule")

    async def stop(self) -> None:
        """Do no more; a job in the middle is cancelled, and another process may do it. May be called twice,
        and without `start`."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def do_one(self) -> str | None:
        """The name of a job that was due and is done now, well or not; None when none was due."""
        claimed = await store.claim(self._db, list(self._jobs.values()))
        if claimed is None:
            return None
        await self._do(self._jobs[claimed.name], claimed)
        return claimed.name

    async def _keep_doing(self) -> None:
        is_announced = False
        while True:
            try:
                if not is_announced:
                    await store.announce(self._db, list(self._jobs.values()))
                    is_announced = True
                while await self.do_one() is not None:
                    pass
                pause = await self._pause()
            except Exception:
                _logger.exception("the schedule could not be read: jobs wait")
                pause = _AFTER_TROUBLE_SECONDS
            await asyncio.sleep(pause)

    async def _pause(self) -> float:
        due = await store.next_due(self._db, list(self._jobs.values()))
        pause = (
            self._look_seconds if due is None else min(max(due, _SHORTEST_LOOK_SECONDS), self._look_seconds)
        )
        # Not all processes at the same moment: only one of them would find something to do.
        return pause * random.uniform(1.0, 1.1)  # noqa: S311  # a pause

    async def _do(self, job: Job, claimed: Claim) -> None:
        error = None
        try:
            with self._acting():
                async with asyncio.timeout(job.limit_seconds):
                    count = await job.work()
            _logger.info("job %s is done", job.name, extra={"job": job.name, "count": count})
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await store.release(self._db, claimed)
            raise
        except TimeoutError:
            error = f"it was not done within {job.limit_seconds:g} seconds"
            _logger.exception("job %s failed", job.name)
        except Exception as failure:
            error = described(failure)
            _logger.exception("job %s failed", job.name)
        self._done.add(job=job.name, result="done" if error is None else "failed")
        await store.finish(self._db, claimed, error)
