"""Where one topic stands in this process: what was told, to whom, and what is missing. Nothing waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from app.realtime.close_codes import CloseCode
from app.realtime.events import Envelope, Frame, Run

MAX_EARLY: Final = 32
"""Events kept that came before their turn; more are read in the log.

Two processes that post into one topic at a time swap neighbours, no more; and what is set free at once when a
gap closes must fit into the queue of a connection that keeps up.
"""

MAX_RECENT: Final = 256
"""Events kept for replays to catch up with the live stream; further behind they read the log."""


CHECK_AGAIN: Final = "come back: what you may hear has to be checked again"


class Receiver(Protocol):
    """What the hub needs of a connection."""

    @property
    def is_congested(self) -> bool:
        """So much is queued that whatever can be left out should be."""

    @property
    def closed_with(self) -> CloseCode | None:
        """The code that it was closed with by us; None while it is open."""

    @property
    def dropped(self) -> int:
        """Frames that it did not write because it was closed with SLOW."""

    def send_nowait(self, frame: Frame) -> None:
        """Take the frame without waiting, or close itself. Never raises."""

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """End the connection, without waiting; `reason` instead of the code's own."""

    def send_run(self, run: Run) -> None:
        """Take all frames of a run, likewise."""

    async def drained(self) -> bool:
        """Wait until there is room for more. False when the connection is over."""


class Entry:
    """A subscription that does not get the live stream yet.

    `position`: the highest seq that the receiver has, or needs no more. `admitted`: the seq of the topic at
    which its right to listen was checked; only events after it can end the subscription. `reset`: the frame
    that tells it that the events behind `position` are not kept; None when it was told.
    """

    __slots__ = ("admitted", "position", "receiver", "reset", "user_id")

    def __init__(
        self, receiver: Receiver, *, user_id: int, position: int, admitted: int, reset: Frame | None = None
    ) -> None:
        self.receiver = receiver
        self.user_id = user_id
        self.position = position
        self.admitted = admitted
        self.reset = reset


class Topic:
    """One topic that somebody here listens to.

    Subscriptions are `live` (receiver -> seq at which it was admitted: gets each event as it is told),
    `ahead` (has more than was told here, waits for the stream to reach it) or in `replays` (behind, reads the
    log by itself).
    """

    __slots__ = ("_early", "_recent", "ahead", "delivered", "is_chased", "live", "name", "replays", "wanted")

    def __init__(self, name: str, *, at: int) -> None:
        self.name = name
        self.delivered = at
        """The seq up to which all was told to the live ones."""
        self.wanted = at
        """The highest seq that is known to exist."""
        self.live: dict[Receiver, int] = {}
        self.ahead: dict[Receiver, Entry] = {}
        self.replays: dict[Receiver, Entry] = {}
        self.is_chased = False
        """Somebody is bringing `delivered` up to `wanted` with the help of the log."""
        self._early: dict[int, Envelope] = {}
        self._recent: list[Envelope] = []

    @property
    def is_empty(self) -> bool:
        """Nobody here listens any more."""
        return not (self.live or self.ahead or self.replays)

    @property
    def is_behind(self) -> bool:
        """There are events that were not told yet."""
        return self.wanted > self.delivered

    @property
    def size(self) -> int:
        """How many have a subscription, live or not."""
        return len(self.live) + len(self.ahead) + len(self.replays)

    def receivers(self) -> Iterator[Receiver]:
        """Everybody who has a subscription, live or not."""
        yield from self.live
        yield from self.ahead
        yield from self.replays

    def __contains__(self, receiver: Receiver) -> bool:
        return receiver in self.live or receiver in self.replays or receiver in self.ahead

    def accept(self, seq: int, envelope: Envelope) -> Envelope | None:
        """The event, if it is the one whose turn it is; None for a double and for one that is early.

        After each event that it gave, ask for the `following` ones.
        """
        self.expect(seq)
        if seq == self.delivered + 1:
            self.delivered = seq
            return envelope
        if seq > self.delivered and len(self._early) < MAX_EARLY:
            self._early[seq] = envelope
        return None

    def following(self) -> Envelope | None:
        """The early event whose turn has come now that the one before it was told."""
        envelope = self._early.pop(self.delivered + 1, None) if self._early else None
        if envelope is not None:
            self.delivered += 1
        return envelope

    def expect(self, seq: int) -> None:
        """Note that the log reaches `seq`."""
        self.wanted = max(self.wanted, seq)

    def settle(self) -> None:
        """Note that there is nothing behind `delivered`."""
        self.wanted = self.delivered
        self._early.clear()

    def enter(self, entry: Entry) -> bool:
        """Put a subscription where its position belongs; True when it is behind and needs a replay."""
        if entry.position == self.delivered:
            self.live[entry.receiver] = entry.admitted
        elif entry.position > self.delivered:
            self.ahead[entry.receiver] = entry
        else:
            self.replays[entry.receiver] = entry
            return True
        return False

    def leave(self, receiver: Receiver) -> None:
        """End whatever subscription the receiver has."""
        self.live.pop(receiver, None)
        self.ahead.pop(receiver, None)
        if self.replays.pop(receiver, None) is not None and not self.replays:
            self._recent.clear()

    def told(self, envelopes: Sequence[Envelope]) -> None:
        """Note that the live ones have `envelopes`, the events up to `delivered`.

        Those that waited for the stream to come here are live from now on.
        """
        for entry in [entry for entry in self.ahead.values() if entry.position <= self.delivered]:
            del self.ahead[entry.receiver]
            self.live[entry.receiver] = entry.admitted
        if self.replays:
            if len(self._recent) + len(envelopes) > MAX_RECENT:
                self._recent.clear()
            self._recent += envelopes

    def recent_after(self, position: int) -> list[Envelope]:
        """The events from `position` + 1 up to `delivered`, or none if some are not kept here."""
        first = position + 1 - (self.delivered - len(self._recent) + 1)
        return self._recent[first:] if first >= 0 else []
