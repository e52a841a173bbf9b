"""The indexes that make searching fast: of kinds that models do not declare, so that they are made here.

Building one locks the table against writing. At the first start, and as long as there is little in it, nobody
notices; on a large table a person builds them beside running work, with the statement that is logged. Without
them searching works and is slow.
"""

import logging
from typing import Any, Final

from orm import Database
from sql import statements

_SQL: Final = statements("chat/search_indexes")
_LOCK: Final = 324756397491602775
"""The first eight bytes of sha256("starling chat search indexes") / 2, as pg_advisory_xact_lock takes them.
"""

SMALL_ROWS: Final = 100_000
"""A table of less is indexed in a second or two."""

_logger = logging.getLogger(__name__)


async def make_search_indexes(db: Database) -> bool:
    """Whether parts of words are found by an index. Indexes that are missing are made, if that takes no time.

    Safe when several processes do it at once. The one for parts of words wants the extension pg_trgm, which a
    person installs.
    """
    state = await _state(db)
    if _missing(state):
        if not state["is_small"]:
            for name, statement in _missing(state).items():
                concurrently = statement.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
                _logger.warning(
                    "searching is slow without the index %s; make it with: %s", name, concurrently
                )
            return bool(state["has_trigrams"])
        async with db.transaction():
            await db.fetch(_SQL["lock"], _LOCK)
            for statement in _missing(await _state(db)).values():
                await db.execute(statement)
        state = await _state(db)
    return bool(state["has_trigrams"])


async def _state(db: Database) -> Any:
    return await db.fetchrow(_SQL["state"], SMALL_ROWS)


def _missing(state: Any) -> dict[str, str]:
    """The statements of the indexes that are not there, by name."""
    missing = {}
    if not state["has_words"]:
        missing["chat_messages_words"] = _SQL["words"]
    if not state["has_trigrams"] and state["trigram_schema"] is not None:
        missing["chat_messages_trigrams"] = _SQL["trigrams"].format(schema=state["trigram_schema"])
    return missing
