"""When API keys were last used, written down beside the requests and not on their way."""

import asyncio
import contextlib
import logging
from time import monotonic
from typing import Final

from orm.database import Database
from sql import statements

SECONDS: Final = 60.0
"""How exact `last_used_at` is. A busy key would otherwise cost a write for each request."""

MOST_REMEMBERED: Final = 10_000
"""Keys of which this process knows that they were written down lately; beyond, it forgets all of them."""

_SQL = statements("auth_token/api_keys")
_logger = logging.getLogger(__name__)


class KeyUses:
    """Writes down that keys were used, each at most once a minute, many with one statement.

    What cannot be written is lost, and logged: it is a hint for people, and no request waits for it.
    """

    def __init__(self, db: Database, *, seconds: float = SECONDS) -> None:
        self._db = db
        self._seconds = seconds
        self._noted_at: dict[int, float] = {}
        self._waiting: set[int] = set()
        self._has_some = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def note(self, key_id: int) -> None:
        """The key was used just now. Costs a look into a dictionary, and never waits."""
        now = monotonic()
        noted_at = self._noted_at.get(key_id)
        if noted_at is not None and now - noted_at < self._seconds:
            return
        if len(self._noted_at) >= MOST_REMEMBERED:
            self._noted_at.clear()
        self._noted_at[key_id] = now
        self._waiting.add(key_id)
        self._has_some.set()

    def start(self) -> None:
        """From now on uses are written down."""
        self._writing = asyncio.create_task(self._keep_writing(), name="uses of API keys")

    async def stop(self) -> None:
        """Write down what waits, and no more after that. May be called twice, and without `start`."""
        if self._writing is None:
            return
        self._writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writing
        self._writing = None
        await self._write()

    async def _keep_writing(self) -> None:
        while True:
            await self._has_some.wait()
            await self._write()

    async def _write(self) -> None:
        self._has_some.clear()
        keys, self._waiting = self._waiting, set()
        if not keys:
            return
        try:
            await self._db.run(_SQL["note_uses"], [sorted(keys), self._seconds])
        except asyncio.CancelledError:
            self._waiting |= keys
            raise
        except Exception:
            _logger.exception("that %s API keys were used could not be written down", len(keys))
