"""Telling those who share a chat with somebody that he has come online or has gone.

Every process knows who is online (app/realtime/presence.py), and tells its own sockets. What changed in a
quarter of a second is looked up together: which of those chats that somebody here listens to are theirs, in
one statement. And it is told at a pace: a thousand people who come at once into a chat of a thousand would
be a million frames, each of them stale a moment later; so they take their time, and one who comes and goes
meanwhile is told of once or not at all.
"""

import asyncio
import logging
from collections.abc import Collection
from itertools import islice
from typing import Final

from app.realtime import Hub, Presence
from app.realtime.tasks import Tasks
from orm import Database
from services.chat.events import Presence as PresenceEvent
from services.chat.events import ephemeral_frame
from services.chat.log import TOPIC, chat_of, topic_of
from sql import statements

_SQL: Final = statements("chat/presence")

GATHER_SECONDS: Final = 0.25
DELIVERIES_AT_ONCE: Final = 1_000
PAUSE_SECONDS: Final = 0.05  # 20,000 deliveries a second: a fifth of what a process can do
RETRY_SECONDS: Final = 1.0
USERS_AT_ONCE: Final = 200
"""Users whose chats are looked up together, and none while so much waits to be told (MAX_WAITING): what is
kept is bounded, however many come or go at once.
"""

MAX_WAITING: Final = 20_000
ASKED_AT_MOST: Final = 5_000
"""Users online whose ids go into a statement; when there are more, all members of the chats come back."""

_logger = logging.getLogger(__name__)

Change = tuple[int, int]
"""A chat and a user."""


class PresenceNews:
    """See the module. Made before sockets come; `start` and `stop` as the rest of the service."""

    def __init__(self, db: Database, hub: Hub, presence: Presence) -> None:
        self._db = db
        self._hub = hub
        self._presence = presence
        self._told: set[int] = set()
        self._changed: set[int] = set()
        self._waiting: dict[Change, bool] = {}
        self._work = asyncio.Event()
        self._is_failing = False
        self._tasks = Tasks()
        presence.watch(self._note)

    def start(self) -> None:
        """Begin to tell."""
        self._tasks.spawn(self._run(), name="presence in chats")

    async def stop(self) -> None:
        """Tell no more. May be called twice, and without `start`."""
        await self._tasks.stop()

    async def online_in(self, chat_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
        """The members who are online, by chat; a chat without any is absent. One statement."""
        online = self._presence.users
        asked = list(online) if len(online) <= ASKED_AT_MOST else None
        found = {}
        for chat_id, user_ids in await self._db.fetch(_SQL["online"], list(chat_ids), asked):
            found[chat_id] = tuple(user_id for user_id in user_ids if user_id in self._presence)
        return {chat_id: user_ids for chat_id, user_ids in found.items() if user_ids}

    def _note(self, came: Collection[int], went: Collection[int]) -> None:
        self._changed.update(came)
        self._changed.update(went)
        self._work.set()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        looked_at = 0.0
        while True:
            if not self._waiting:
                await self._work.wait()
                await asyncio.sleep(GATHER_SECONDS)
            self._work.clear()
            is_time = clock() - looked_at >= GATHER_SECONDS
            if self._changed and is_time and len(self._waiting) < MAX_WAITING:
                await self._look_up()
                looked_at = clock()
            self._tell_some()
            if self._changed:
                self._work.set()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look_up(self) -> None:
        """Put what is to be told of some who changed behind what waits; later, when it fails."""
        some = set(islice(self._changed, USERS_AT_ONCE))
        self._changed -= some
        changed = {one for one in some if (one in self._presence) != (one in self._told)}
        chat_ids = [chat_of(name) for name in self._hub.topics if name.startswith(f"{TOPIC}:")]
        try:
            rows = (
                await self._db.fetch(_SQL["shared"], list(changed), chat_ids) if changed and chat_ids else []
            )
        except Exception:
            if not self._is_failing:
                _logger.warning("cannot look up who shares a chat, will try again", exc_info=True)
            self._is_failing = True
            self._changed |= changed
            await asyncio.sleep(RETRY_SECONDS)
            return
        self._is_failing = False
        for chat_id, user_id in rows:
            self._waiting.pop((chat_id, user_id), None)
            self._waiting[chat_id, user_id] = user_id in self._presence
        for user_id in changed:
            (self._told.add if user_id in self._presence else self._told.discard)(user_id)

    def _tell_some(self) -> None:
        told = 0
        while self._waiting and told < DELIVERIES_AT_ONCE:
            chat_id, user_id = next(iter(self._waiting))
            online = self._waiting.pop((chat_id, user_id))
            if online == (user_id in self._presence):
                frame = ephemeral_frame(PresenceEvent(user_id=user_id, online=online), chat_id=chat_id)
                told += 1 + self._hub.tell_here(topic_of(chat_id), frame, besides=user_id)
