"""Closing gaps from the log: events that did not arrive, or that a crash kept from ever being sent.

Two ways lead here. An event that comes before its turn shows that others are missing: its topic is *chased*,
read in the log until all is told. And a *sweep* compares, every second or two and after each gap of the
broker, what was told here with the heads of the log, so that no lost notification stays lost.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final, Protocol

from app.realtime.events import Envelope
from app.realtime.log import EventLog
from app.realtime.reader import LogReader
from app.realtime.tasks import Tasks
from app.realtime.topic import Topic

logger = logging.getLogger(__name__)

READS_AT_ONCE: Final = 4  # of the ten connections that a process has; replays have as many of their own
JOIN_WINDOW_SECONDS: Final = 60.0  # an event is dated when its transaction begins, and none takes so long
BURST_EVENTS: Final = 32  # told in one go, then the writers of the connections get their turn
BURST_BYTES: Final = 256 << 10


class Audience(Protocol):
    """What is needed of the hub."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The topics that somebody here listens to."""

    @property
    def users(self) -> Collection[int]:
        """The users that are connected here."""

    def drop_silent_topics(self) -> None:
        """Forget the topics that nobody listens to any more."""

    def advance(self, topic: Topic, envelope: Envelope) -> None:
        """Tell an event of the log, when it is its turn."""

    def lose(self, topic: Topic) -> None:
        """Events of this topic are gone: its listeners have to come back and be checked again."""

    def join(self, envelope: Envelope) -> None:
        """Tell those that join by this event, unless it was done."""

    def forget_joins(self, before: float) -> None:
        """Forget the joins told before this time of the loop's clock."""


class CatchUp:
    """See the module. `run` is the sweep, for ever; the other methods do not wait."""

    def __init__(
        self,
        log: EventLog,
        audience: Audience,
        tasks: Tasks,
        *,
        sweep_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._log = log
        self._audience = audience
        self._tasks = tasks
        self._sweep_seconds = sweep_seconds
        self._patience_seconds = patience_seconds
        self._reader = LogReader(log, at_once=READS_AT_ONCE)
        self._fresh: set[str] = set()
        self._wake = asyncio.Event()
        self._gaps = 0
        self._gaps_swept = 0
        self._owed: dict[str, int] = {}
        self._trouble: str | None = None
        self._started_at = 0.0
        self._swept_at = 0.0

    def chase(self, topic: Topic) -> None:
        """See to it that the topic is brought up to what it wants."""
        if topic.is_behind and not topic.is_chased:
            topic.is_chased = True
            self._tasks.spawn(self._chase(topic), name=f"catch up {topic.name}")

    def check_soon(self, topic: Topic) -> None:
        """Compare a topic that was just opened: events may have passed since the look that opened it."""
        self._fresh.add(topic.name)
        self._wake.set()

    def gap(self) -> None:
        """Anything may have been missed: sweep now."""
        self._gaps += 1
        self._wake.set()

    def health(self) -> str | None:
        """None when all that is known to exist since the last gap was told; else a sentence."""
        if self._trouble is not None:
            return self._trouble
        topics = self._audience.topics
        self._owed = {
            name: head
            for name, head in self._owed.items()
            if name in topics and topics[name].delivered < head
        }
        if self._owed or self._gaps != self._gaps_swept:
            return "events that were missed are being caught up"
        return None

    async def run(self) -> None:
        """Sweep every `sweep_seconds`, at once where there is a reason, and again when it failed."""
        self._started_at = self._swept_at = asyncio.get_running_loop().time()
        while True:
            try:
                async with asyncio.timeout(self._sweep_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass  # time for the regular one
            self._wake.clear()
            try:
                await self._sweep()
                self._trouble = None
            except Exception:
                if self._trouble is None:
                    logger.warning("cannot compare with the event log, will try again", exc_info=True)
                self._trouble = "the event log cannot be read"
                await asyncio.sleep(self._sweep_seconds)
                self._wake.set()

    # -- the sweep

    async def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        gaps, fresh = self._gaps, set(self._fresh)
        is_full = gaps != self._gaps_swept or now - self._swept_at >= self._sweep_seconds * 0.9
        self._audience.drop_silent_topics()
        topics = self._audience.topics
        behind = await self._compare(tuple(topics) if is_full else [name for name in fresh if name in topics])
        if is_full:
            await self._find_joins(now)
            self._swept_at = now
        if gaps != self._gaps_swept:
            self._owed = behind
            self._gaps_swept = gaps
        self._fresh -= fresh

    async def _compare(self, names: Collection[str]) -> dict[str, int]:
        """Chase the topics whose log is ahead of what was told; their names and heads."""
        topics = self._audience.topics
        told = {name: topics[name].delivered for name in names}
        behind: dict[str, int] = {}
        for name, head in (await self._log.heads(told) if told else {}).items():
            topic = topics.get(name)
            if topic is None:
                continue
            if head < told[name]:
                # More was told than there is: a fail-over to a replica that lagged, or a restore. New events
                # will get numbers that were told already, and would pass for doubles.
                logger.warning("the log of %s went back from %d to %d", name, told[name], head)
                self._audience.lose(topic)
            elif head > topic.delivered:
                behind[name] = head
                topic.expect(head)
                self.chase(topic)
        return behind

    async def _find_joins(self, now: float) -> None:
        """Tell joins of which no word came, for users that would never hear of the topic otherwise."""
        within = min(now - self._started_at, now - self._swept_at + JOIN_WINDOW_SECONDS)
        users = self._audience.users
        if users:
            for envelope in await self._log.joins(users, within):
                self._audience.join(envelope)
        self._audience.forget_joins(before=now - within - JOIN_WINDOW_SECONDS)

    # -- the chase

    async def _chase(self, topic: Topic) -> None:
        """Read and tell until nothing is missing; one task a topic.

        What arrives meanwhile queues in the topic.
        """

        def is_wanted() -> bool:
            return topic.is_behind and not topic.is_empty

        try:
            # Two processes that post into one topic swap neighbours: mostly the missing one is on its way.
            await asyncio.sleep(self._patience_seconds)
            proven = 0
            while is_wanted():
                events = await self._reader.read(topic.name, topic.delivered, is_wanted=is_wanted)
                if events is None:
                    return
                if events:
                    if events[0].durable_seq > topic.delivered + 1:
                        self._audience.lose(topic)
                        return
                    self._log.caught_up(len(events))
                    await self._tell(topic, events)
                elif topic.delivered < proven:
                    self._audience.lose(topic)
                    return
                else:
                    proven = await self._reader.head(topic.name, is_wanted=is_wanted) or 0
                    if proven <= topic.delivered:
                        topic.settle()
        finally:
            topic.is_chased = False

    async def _tell(self, topic: Topic, events: Collection[Envelope]) -> None:
        told = size = 0
        for event in events:
            self._audience.advance(topic, event)
            told += 1
            size += len(event.frame)
            if told >= BURST_EVENTS or size >= BURST_BYTES:
                told = size = 0
                await asyncio.sleep(0)
