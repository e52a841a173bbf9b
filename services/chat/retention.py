"""What is not kept for ever: old events, and what is left of chats that nobody is in any more.

It goes in the background, some thousand rows at a time in a transaction of their own, so that nobody waits
for it; by one worker at a time, which holds an advisory lock for as long as each transaction takes. A
worker that dies leaves no lock and no half of anything.
"""

import asyncio
import datetime
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from app.core.environment import Environment
from app.realtime.tasks import Tasks
from orm import RecordNotFound
from services.chat.actions.chats import abandon_chat
from services.chat.records import model_of
from services.chat.settings import ChatSettings
from sql import statements

_SQL: Final = statements("chat/retention")

INTERVAL_SECONDS: Final = 600.0
ROWS: Final = 10_000  # at a time: some 100 ms
CHATS: Final = 100  # at a time, which share them
GRACE: Final = datetime.timedelta(minutes=10)
"""A chat that is gone keeps its events for so long: those who were in it are told by them, also after a
gap.
"""

_LEASE: Final = 619547609615465191
"""Half of the first eight bytes of sha256("starling chat retention"), as advisory locks take them."""

_logger = logging.getLogger(__name__)


class NotOurTurn(Exception):
    """Another worker is at it."""


class Retention:
    """See the module. `run_once` does what there is to do now; `start` does so again and again."""

    def __init__(self, env: Environment, settings: ChatSettings) -> None:
        self._env = env
        self._age = datetime.timedelta(days=settings.event_retention_days)
        self._count = settings.event_retention_count
        self._tasks = Tasks()

    def start(self) -> None:
        """Begin."""
        self._tasks.spawn(self._run(), name="retention of the chat")

    async def stop(self) -> None:
        """End; what is under way is rolled back. May be called twice, and without `start`."""
        await self._tasks.stop()

    async def run_once(self) -> bool:
        """Remove all that is not to be kept now. False when another worker is at it."""
        with self._env.system():
            try:
                await self._trim()
                await self._abandon_chats_of_lost_records()
                await self._remove_gone_chats()
            except NotOurTurn:
                return False
        return True

    async def _run(self) -> None:
        while True:
            # Several workers that start together do not all come together.
            await asyncio.sleep(INTERVAL_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311  # not a secret
            try:
                await self.run_once()
            except Exception:
                _logger.warning("old events cannot be removed now, will try again", exc_info=True)

    async def _in_turn(self, work: Callable[[], Awaitable[int]]) -> int:
        """What `work` answers, done in a transaction that holds the lease. Raises NotOurTurn."""
        async with self._env.db.transaction():
            if not await self._env.db.fetchval(_SQL["lease"], _LEASE):
                raise NotOurTurn
            return await work()

    async def _all(self, statement: str, *values: object) -> int:
        """How many rows a statement removes, called until it removes none."""
        removed = 0

        async def some() -> int:
            return int(await self._env.db.fetchval(_SQL[statement], *values))

        while found := await self._in_turn(some):
            removed += found
        return removed

    async def _trim(self) -> None:
        """Walk over all chats: one look at the oldest event of each, more where it is to go."""
        oldest = self._env.db.now() - self._age
        removed = 0
        after: int | None = 0

        async def some() -> int:
            nonlocal after
            row = await self._env.db.fetchrow(
                _SQL["trim"], oldest, self._count or None, after, CHATS, ROWS // CHATS
            )
            found, last_id = row or (0, None)
            after = after if found else last_id
            return int(found)

        while after is not None:
            removed += await self._in_turn(some)
        if removed:
            _logger.info("%d events of chats were old or too many and are gone", removed)

    async def _abandon_chats_of_lost_records(self) -> None:
        """Nobody can read a record that is gone: its chat is at its end, too. A table without a model is left
        alone: its module may be installed again.
        """
        db = self._env.db
        after = 0
        while rows := await db.fetch(_SQL["record_chats"], after, ROWS):
            after = rows[-1]["id"]
            by_table: dict[str, dict[int, int]] = {}
            for row in rows:
                by_table.setdefault(row["res_model"], {})[row["res_id"]] = row["id"]
            for table, chat_ids in by_table.items():
                if (model := model_of(table)) is not None:
                    found = await model.search([["id", "in", list(chat_ids)]], fields=["id"])
                    for record_id in chat_ids.keys() - {record.id for record in found}:
                        await self._in_turn(partial(_abandon, chat_ids[record_id]))

    async def _remove_gone_chats(self) -> None:
        db = self._env.db
        while rows := await db.fetch(_SQL["gone_chats"], db.now() - GRACE, CHATS):
            for row in rows:
                for statement in ("remove_messages", "remove_events"):
                    await self._all(statement, row["id"], ROWS)
                await self._all("remove_chat", row["id"])
                _logger.info("what was left of chat %d is gone", row["id"])


async def _abandon(chat_id: int) -> int:
    try:
        await abandon_chat(chat_id)
    except RecordNotFound:
        return 0
    return 1
