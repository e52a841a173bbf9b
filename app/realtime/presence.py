"""Who has a connection to any process, known in every process; knows no chat.

Each process tells the others which users are connected to it: what changes, a moment later and together,
and a heartbeat with the number of the last change. Whoever finds a number that he has not seen asks for the
whole list. A process that is not heard of for some heartbeats counts as dead, and so nobody stays online
there; one that only hung is heard again, and asked.

It lives in memory and goes by the broker. A table would cost writes for every connection and every heartbeat,
and would still need the clock to tell the dead; what is lost here is a moment of the truth.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from app.realtime.realtime import Realtime
from app.realtime.tasks import Tasks

logger = logging.getLogger(__name__)

TOPIC: Final = "presence"
GATHER_SECONDS: Final = 0.1  # between a change and its telling: a page that is reloaded mostly tells nothing
HEARTBEAT_SECONDS: Final = 2.0
MISSED_HEARTBEATS: Final = 3  # after which a process counts as dead

Changes = Callable[[Collection[int], Collection[int]], None]
"""Is told of users who came online, and of those who went. Returns at once, and does not raise."""


class _Word(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag_field="kind"):
    process: str


class _Beat(_Word, frozen=True, tag="beat"):
    """I am alive, and have come to this change."""

    number: int


class _Change(_Word, frozen=True, tag="change"):
    """These users came to me and those went; it is my change of this number."""

    number: int
    came: tuple[int, ...]
    went: tuple[int, ...]


class _All(_Word, frozen=True, tag="all"):
    """These are all users that I have, after the change of this number."""

    number: int
    users: tuple[int, ...]


class _Ask(_Word, frozen=True, tag="ask"):
    """Say all that you have: the process `whom`, or everybody."""

    whom: str | None


class _Bye(_Word, frozen=True, tag="bye"):
    """I end, and have nobody any more."""


_decoder: Final = msgspec.json.Decoder(_Beat | _Change | _All | _Ask | _Bye)


class _Process:
    """What is known of one process. `number` is that of its last change, None when the list has to be asked
    for.
    """

    __slots__ = ("heard_at", "number", "users")

    def __init__(self, heard_at: float) -> None:
        self.users: set[int] = set()
        self.number: int | None = None
        self.heard_at = heard_at


class Presence:
    """See the module. `start` after the broker, `stop` before it."""

    def __init__(
        self,
        realtime: Realtime,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._realtime = realtime
        self._name = secrets.token_hex(6)
        self._heartbeat_seconds = heartbeat_seconds
        self._gather_seconds = gather_seconds
        self._own = _Process(0.0)
        self._own_number = 0
        self._others: dict[str, _Process] = {}
        self._counts: dict[int, int] = {}
        self._pending: dict[int, bool] = {}
        self._watches: list[Changes] = []
        self._tasks = Tasks()
        self._flush: asyncio.Handle | None = None
        self._is_stopped = False
        realtime.hub.watch_users(self._own_user)
        self._listening = realtime.listen(TOPIC, self._hear, self._ask_everybody)

    def __len__(self) -> int:
        """How many users are online."""
        return len(self._counts)

    def __contains__(self, user_id: int) -> bool:
        return user_id in self._counts

    @property
    def users(self) -> Collection[int]:
        """The users that are online, anywhere. A view: it changes with them."""
        return self._counts.keys()

    def watch(self, changes: Changes) -> None:
        """Call `changes` with users who came online by their first connection anywhere, and with those who
        went by their last.
        """
        self._watches.append(changes)

    async def start(self) -> None:
        """Begin to tell, and ask who is there."""
        self._ask_everybody()
        self._tasks.spawn(self._beat(), name="presence")

    async def stop(self) -> None:
        """Tell that nobody is here any more. May be called twice, and without `start`."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._listening.stop()
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        await self._tasks.stop()
        self._tell(_Bye(process=self._name))

    # -- this process

    def _own_user(self, user_id: int, is_here: bool) -> None:
        if is_here:
            self._own.users.add(user_id)
            self._came([user_id])
        else:
            self._own.users.discard(user_id)
            self._went([user_id])
        if self._pending.pop(user_id, None) is None:  # else he is back before it was told
            self._pending[user_id] = is_here
        if self._pending and self._flush is None and not self._is_stopped:
            self._flush = asyncio.get_running_loop().call_later(self._gather_seconds, self._tell_changes)

    def _tell_changes(self) -> None:
        self._flush = None
        if not self._pending:
            return
        came = tuple(user_id for user_id, is_here in self._pending.items() if is_here)
        went = tuple(user_id for user_id, is_here in self._pending.items() if not is_here)
        self._pending.clear()
        self._own_number += 1
        self._tell(_Change(process=self._name, number=self._own_number, came=came, went=went))

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._tell(_Beat(process=self._name, number=self._own_number))
            began = clock()
            await asyncio.sleep(self._heartbeat_seconds)
            # While nobody can be heard, or we ourselves hung, nobody is dead.
            if self._realtime.health() is not None or clock() - began > self._heartbeat_seconds * 2:
                for process in self._others.values():
                    process.heard_at = clock()
            self._bury(oldest=clock() - self._heartbeat_seconds * MISSED_HEARTBEATS)

    def _bury(self, *, oldest: float) -> None:
        """Forget processes that were not heard of since then."""
        for name in [name for name, process in self._others.items() if process.heard_at < oldest]:
            logger.warning("the process %s is not heard of any more: its users count as gone", name)
            self._went(self._others.pop(name).users)

    # -- the others

    def _hear(self, payload: bytes) -> None:
        word = _decoder.decode(payload)
        if word.process == self._name:
            return
        if isinstance(word, _Bye):
            if word.process in self._others:
                self._went(self._others.pop(word.process).users)
            return
        now = asyncio.get_running_loop().time()
        process = self._others.setdefault(word.process, _Process(now))
        process.heard_at = now
        if isinstance(word, _Ask):
            if word.whom in (None, self._name):
                self._tell_changes()
                self._tell(_All(process=self._name, number=self._own_number, users=tuple(self._own.users)))
        elif isinstance(word, _All):
            self._replace(process, word)
        elif isinstance(word, _Change) and process.number == word.number - 1:
            self._change(process, word)
        elif word.number != process.number:
            process.number = None
            self._tell(_Ask(process=self._name, whom=word.process))

    def _replace(self, process: _Process, word: _All) -> None:
        users = set(word.users)
        came, went = users - process.users, process.users - users
        process.users, process.number = users, word.number
        self._came(came)
        self._went(went)

    def _change(self, process: _Process, word: _Change) -> None:
        came = [user_id for user_id in word.came if user_id not in process.users]
        went = [user_id for user_id in word.went if user_id in process.users]
        process.users.update(came)
        process.users.difference_update(went)
        process.number = word.number
        self._came(came)
        self._went(went)

    # -- everybody

    def _came(self, user_ids: Iterable[int]) -> None:
        came = []
        for user_id in user_ids:
            self._counts[user_id] = self._counts.get(user_id, 0) + 1
            if self._counts[user_id] == 1:
                came.append(user_id)
        self._tell_watches(came, ())

    def _went(self, user_ids: Iterable[int]) -> None:
        went = []
        for user_id in user_ids:
            self._counts[user_id] -= 1
            if not self._counts[user_id]:
                del self._counts[user_id]
                went.append(user_id)
        self._tell_watches((), went)

    def _tell_watches(self, came: Collection[int], went: Collection[int]) -> None:
        if came or went:
            for watch in self._watches:
                watch(came, went)

    def _ask_everybody(self) -> None:
        self._tell(_Ask(process=self._name, whom=None))

    def _tell(self, word: _Word) -> None:
        self._realtime.tell(TOPIC, msgspec.json.encode(word))
