"""Whoever loses the right to a record loses its chat, also on sockets that are open.

A right can end in many ways: by another owner, role or rule, or because the record is gone; and a rule may
look at any table. So nothing short of asking again is right: every process asks for the users that listen
to chats of records here, some times a second, and nothing at all while nobody does, or while nothing was
written to the database (the heartbeats of presence count as such, where NOTIFY carries them). One question
serves all whom the rules treat alike.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.environment import Environment
from app.realtime import Hub
from app.realtime.tasks import Tasks
from orm import AccessDenied
from services.chat.actions.records import RecordChat, end_membership, lost_chats
from services.chat.log import TOPIC, chat_of, topic_of
from sql import statements

_SQL: Final = statements("chat/records")

LOOK_SECONDS: Final = 0.3
"""Between two looks: a right that ended is to be honoured within a second, and noticing it takes others a
part.
"""

_logger = logging.getLogger(__name__)

Listening = Mapping[int, frozenset[int]]
"""The users that listen here to the chats of records, by chat."""


class RecordWatch:
    """See the module. `sessions` gives a session of each user who has a socket here."""

    def __init__(
        self, env: Environment, hub: Hub, sessions: Callable[[], Mapping[int, AccessSession]]
    ) -> None:
        self._env = env
        self._hub = hub
        self._sessions = sessions
        self._known: set[str] = set()
        self._chats: dict[int, RecordChat] = {}
        self._seen: object = None
        self._work = asyncio.Event()
        self._is_failing = False
        self._tasks = Tasks()

    def start(self) -> None:
        """Begin to look."""
        self._tasks.spawn(self._run(), name="watch over the chats of records")

    async def stop(self) -> None:
        """Look no more. May be called twice, and without `start`."""
        await self._tasks.stop()

    def check_soon(self) -> None:
        """Somebody's rights have changed: look now."""
        self._work.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._work.wait()
            except TimeoutError:
                pass  # time for the regular look
            self._work.clear()
            try:
                with self._env.bind():
                    await self._look()
                self._is_failing = False
            except Exception:
                if not self._is_failing:
                    _logger.warning(
                        "cannot check who may read records with chats, will try again", exc_info=True
                    )
                self._is_failing = True
                self._seen = None

    async def _look(self) -> None:
        await self._learn()
        listening = {chat_id: self._hub.subscribers(topic_of(chat_id)) for chat_id in self._chats}
        if not any(listening.values()):
            return
        sessions = self._sessions()
        seen = (await self._env.db.fetchval(_SQL["moment"]), listening, sessions)
        if seen == self._seen:
            return
        for asked, chat_ids in self._questions(listening, sessions):
            await self._ask(asked, chat_ids, listening)
        self._seen = seen

    async def _learn(self) -> None:
        """Know of each chat that is listened to here whether it is one of a record; that never changes."""
        topics = self._hub.topics.keys()
        if len(self._known) > 2 * len(topics):
            self._known &= topics
            self._chats = {
                chat_id: chat for chat_id, chat in self._chats.items() if topic_of(chat_id) in topics
            }
        unknown = topics - self._known
        if unknown:
            chat_ids = [chat_of(name) for name in unknown if name.startswith(f"{TOPIC}:")]
            rows = await self._env.db.fetch(_SQL["of_chats"], chat_ids)
            self._chats.update({row["id"]: RecordChat(*row) for row in rows})
            self._known |= unknown

    def _questions(
        self, listening: Listening, sessions: Mapping[int, AccessSession]
    ) -> list[tuple[list[AccessSession], set[int]]]:
        """Sessions that the rules treat alike, each with one of the chats at least; and these chats."""
        alike: dict[Any, tuple[list[AccessSession], set[int]]] = {}
        for chat_id, user_ids in listening.items():
            chat = self._chats[chat_id]
            for user_id in user_ids & sessions.keys():
                session = sessions[user_id]
                asked, chat_ids = alike.setdefault((chat.res_model, self._rule(session, chat)), ([], set()))
                asked.append(session)
                chat_ids.add(chat_id)
        return list(alike.values())

    def _rule(self, session: AccessSession, chat: RecordChat) -> str:
        """What tells apart those who may see different records of a table."""
        meta = self._env.registry.table(chat.res_model)
        if meta is None or self._env.policy is None:
            return ""
        try:
            return repr(self._env.policy.grant(session, meta, "read").rule)
        except AccessDenied:
            return f"denied {session.user_id}"

    async def _ask(self, sessions: list[AccessSession], chat_ids: set[int], listening: Listening) -> None:
        token = set_access_session(sessions[0])
        try:
            lost = await lost_chats(self._chats[chat_id] for chat_id in chat_ids)
        finally:
            reset_access_session(token)
        users = {session.user_id for session in sessions}
        for chat_id in lost:
            for user_id in listening[chat_id] & users:
                await end_membership(chat_id, user_id)
