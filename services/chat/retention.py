"""What is not kept for ever: old events, and what is left of chats that nobody is in any more.

It goes in the background, as a job of the schedule, some thousand rows at a time in a transaction of their
own, so that nobody waits for it. A worker that dies leaves no half of anything, and two at once do no harm.
"""

import datetime
import logging
from typing import Final

from app.core.environment import Environment
from orm import RecordNotFound
from services.chat.actions.chats import abandon_chat
from services.chat.records import model_of
from services.chat.settings import ChatSettings
from sql import statements

_SQL: Final = statements("chat/retention")

INTERVAL_SECONDS: Final = 600.0
LIMIT_SECONDS: Final = 3600.0  # for a backlog of years: what it has done by then stays done
ROWS: Final = 10_000  # at a time: some 100 ms
CHATS: Final = 100  # at a time, which share them
GRACE: Final = datetime.timedelta(minutes=10)
"""A chat that is gone keeps its events for so long: those who were in it are told by them, also after a
gap.
"""

_logger = logging.getLogger(__name__)


class Retention:
    """See the module. `run` does what there is to do now, with the rights of the system."""

    def __init__(self, env: Environment, settings: ChatSettings) -> None:
        self._env = env
        self._age = datetime.timedelta(days=settings.event_retention_days)
        self._count = settings.event_retention_count

    async def run(self) -> int:
        """Remove all that is not to be kept now; how many events and chats that was."""
        removed = await self._trim()
        removed += await self._abandon_chats_of_lost_records()
        return removed + await self._remove_gone_chats()

    async def _all(self, statement: str, *values: object) -> None:
        """Call a statement that removes some rows until it removes none."""
        while await self._env.db.fetchval(_SQL[statement], *values):
            pass

    async def _trim(self) -> int:
        """Walk over all chats: one look at the oldest event of each, more where it is to go."""
        oldest = self._env.db.now() - self._age
        removed = 0
        after: int | None = 0
        while after is not None:
            row = await self._env.db.fetchrow(
                _SQL["trim"], oldest, self._count or None, after, CHATS, ROWS // CHATS
            )
            found, last_id = row or (0, None)
            after = after if found else last_id
            removed += found
        if removed:
            _logger.info("%d events of chats were old or too many and are gone", removed)
        return removed

    async def _abandon_chats_of_lost_records(self) -> int:
        """Nobody can read a record that is gone: its chat is at its end, too. A table without a model is left
        alone: its module may be installed again.
        """
        db = self._env.db
        after = abandoned = 0
        while rows := await db.fetch(_SQL["record_chats"], after, ROWS):
            after = rows[-1]["id"]
            by_table: dict[str, dict[int, int]] = {}
            for row in rows:
                by_table.setdefault(row["res_model"], {})[row["res_id"]] = row["id"]
            for table, chat_ids in by_table.items():
                if (model := model_of(table)) is not None:
                    found = await model.search([["id", "in", list(chat_ids)]], fields=["id"])
                    for record_id in chat_ids.keys() - {record.id for record in found}:
                        abandoned += await _abandon(chat_ids[record_id])
        return abandoned

    async def _remove_gone_chats(self) -> int:
        db = self._env.db
        removed = 0
        while rows := await db.fetch(_SQL["gone_chats"], db.now() - GRACE, CHATS):
            for row in rows:
                for statement in ("remove_messages", "remove_events"):
                    await self._all(statement, row["id"], ROWS)
                await self._all("remove_chat", row["id"])
                removed += 1
                _logger.info("what was left of chat %d is gone", row["id"])
        return removed


async def _abandon(chat_id: int) -> int:
    try:
        await abandon_chat(chat_id)
    except RecordNotFound:
        return 0
    return 1
