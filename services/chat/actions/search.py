"""Finding what was said.

Words are found in whatever form, in Russian and English, however long ago they were said; parts of words,
too, where the database has the extension pg_trgm, and else among the newest messages only: without an index
that means reading them. Measured with 1,000,000 messages in 10,000 chats: 20 to 60 ms for whoever is in
some dozens of them; whoever is in all of them waits 10 ms for a word that is common, and up to a second for
one that many use and his chats do not.
"""

from collections.abc import Sequence
from typing import Final

from app.core.environment import current_environment
from services.chat.actions.events import stream_head, stream_heads
from services.chat.rows import message_view
from services.chat.schemas import SearchList
from services.chat.service import running_chat
from sql import statements

_SQL: Final = statements("chat/search")

FEW_CHATS: Final = 100
"""So many chats can be asked for by the words that stand for them. A query with a thousand takes seconds."""

READ_AT_MOST: Final = 10_000
"""Messages that are read where no index helps; some 20 ms."""

SHORTEST_PATTERN: Final = 3  # a trigram: for anything shorter their index reads the whole table

_BEYOND_ALL_IDS: Final = 2**63 - 1


async def search_messages(
    user_id: int, q: str, *, chat_id: int | None = None, before: int | None = None, limit: int
) -> SearchList:
    """At most `limit` messages that have the words of `q` or contain it, in whatever case, newest first;
    those before the id `before`. `"a phrase"`, `or` and `-without` mean what they do in search engines.

    They are of one chat, or of all that the user may read. Raises RecordNotFound, AccessDenied (for
    `chat_id`).
    """
    if chat_id is None:
        chat_ids = list(await stream_heads(user_id))
    else:
        await stream_head(chat_id, user_id)
        chat_ids = [chat_id]
    if not chat_ids or not q.strip() or "\0" in q:
        return SearchList([], None)  # no text that PostgreSQL keeps has a zero byte
    env = current_environment()
    search = _Search(chat_ids, q.strip(), before or _BEYOND_ALL_IDS, limit + 1)
    async with env.db.transaction(readonly=True):
        await env.db.fetch(_SQL["plan_for_each"])
        ids = await search.ids(has_trigrams=running_chat().has_trigrams)
        rows = await env.db.fetch(_SQL["found"], ids[:limit], user_id)
    return SearchList([message_view(row) for row in rows], ids[limit - 1] if len(ids) > limit else None)


class _Search:
    """One question. The methods answer ids of messages, newest first."""

    def __init__(self, chat_ids: Sequence[int], q: str, before: int, limit: int) -> None:
        self._chat_ids = chat_ids
        self._q = q
        self._text = q.lower()
        self._pattern = f"%{_escaped(q)}%"
        self._before = before
        self._limit = limit

    async def ids(self, *, has_trigrams: bool) -> list[int]:
        """What was found, at most `limit`."""
        has_index = has_trigrams and len(self._q) >= SHORTEST_PATTERN
        if len(self._chat_ids) <= FEW_CHATS:
            worded = await self._ask("worded_in_chats", self._before, self._q, self._chats_as_words())
            texted = await (self._texted(self._before) if has_index else self._recently_texted())
            return self._merged(worded, texted)
        recent = await self._ask("recent", self._before, self._q, self._text, READ_AT_MOST)
        if len(recent) == self._limit:
            return recent
        horizon = await current_environment().db.fetchval(_SQL["horizon"], READ_AT_MOST, self._before)
        if horizon is None:
            return recent
        worded = await self._ask("worded", horizon, self._q)
        texted = await self._texted(horizon) if has_index else []
        return self._merged(recent, worded, texted)

    async def _texted(self, before: int) -> list[int]:
        return await self._ask("texted", before, self._pattern)

    async def _recently_texted(self) -> list[int]:
        for_each = READ_AT_MOST // len(self._chat_ids)
        return await self._ask("recently_texted_in_chats", self._before, self._text, for_each)

    async def _ask(self, statement: str, before: int, *asked: object) -> list[int]:
        rows = await current_environment().db.fetch(
            _SQL[statement], self._chat_ids, before, *asked, self._limit
        )
        return [row["id"] for row in rows]

    def _merged(self, *found: Sequence[int]) -> list[int]:
        return sorted({one for ids in found for one in ids}, reverse=True)[: self._limit]

    def _chats_as_words(self) -> str:
        return "|".join(f"'#{chat_id}'" for chat_id in self._chat_ids)


def _escaped(text: str) -> str:
    """The text as a part of a pattern that means nothing but itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
