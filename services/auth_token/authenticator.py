"""Answers what a bearer token stands for, mostly without a query: see app.core.access.Authenticator."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from time import time
from typing import Final, Protocol

from app.core.access import AccessSession
from services.auth_token.verification import Verifier

MOST_REMEMBERED: Final = 10_000
"""Tokens. One costs about a kilobyte with its session, so 10 MB when as many devices are active at a time."""

AT_A_TIME: Final = 500
"""Tokens that are read again together: about a millisecond in which this process does nothing else."""

_logger = logging.getLogger(__name__)


class Revisions(Protocol):
    """By which a cache knows that it still holds; services/security has them."""

    generation: int
    """Another number after every change of rights."""

    def is_current(self) -> bool:
        """Whether everything remembered since the last change still holds."""

    def on_change(self, forget: Callable[[], None]) -> None:
        """Call `forget` at every change from now on."""


class Uses(Protocol):
    """Who wants to hear that an API key was used; see key_uses.py."""

    def note(self, key_id: int) -> None:
        """It was used just now. Never waits."""


class TokenAuthenticator:
    """Verifies access tokens and API keys, and remembers the ones that it verified until rights change.

    A token is remembered under its whole text, so that nothing but the very same token is found again. The
    ones that were not used for longest are forgotten first.

    After a change of rights nothing is taken from memory. Between `start` and `stop` what was in it is read
    again at once, many sessions with one statement: when somebody logs out, everybody else's next request and
    every open socket would otherwise pay for it with a query of its own.
    """

    def __init__(
        self,
        verifier: Verifier,
        revisions: Revisions,
        key_uses: Uses,
        *,
        most_remembered: int = MOST_REMEMBERED,
    ) -> None:
        self._verifier = verifier
        self._revisions = revisions
        self._key_uses = key_uses
        self._most_remembered = most_remembered
        self._remembered: OrderedDict[str, AccessSession] = OrderedDict()
        self._doubtful: OrderedDict[str, AccessSession] = OrderedDict()
        self._has_doubts = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        revisions.on_change(self._doubt)

    def cached(self, token: str) -> AccessSession | None:
        """See Authenticator."""
        session = self._remembered.get(token)
        if session is None or not self._revisions.is_current():
            return None
        if session.expires_at <= time():
            del self._remembered[token]
            return None
        self._remembered.move_to_end(token)
        if session.key_id is not None:
            self._key_uses.note(session.key_id)
        return session

    async def verify_access(self, token: str) -> AccessSession:
        """See Authenticator."""
        generation = self._revisions.generation
        session = await self._verifier.verify(token)
        if session.key_id is not None:
            self._key_uses.note(session.key_id)
        # What was read before a change of rights holds for this request, but must not be kept beyond it.
        if self._revisions.generation == generation:
            self._remember(token, session)
        return session

    def start(self) -> None:
        """From now on what was remembered is read again after a change."""
        self._reading = asyncio.create_task(self._keep_reading_again(), name="sessions after a change")

    async def stop(self) -> None:
        """Nothing is read again. May be called twice, and without `start`."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None

    def _remember(self, token: str, session: AccessSession) -> None:
        self._remembered[token] = session
        if len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)

    def _doubt(self) -> None:
        if self._reading is not None:
            self._doubtful.update(self._remembered)
            while len(self._doubtful) > self._most_remembered:
                self._doubtful.popitem(last=False)
            self._has_doubts.set()
        self._remembered.clear()

    async def _keep_reading_again(self) -> None:
        while True:
            await self._has_doubts.wait()
            self._has_doubts.clear()
            try:
                while self._doubtful:
                    await self._read_again(self._next_doubtful())
            except Exception:
                # Each token will be verified when it comes, as if it had never been known.
                _logger.exception("sessions could not be read again after a change of rights")
                self._doubtful.clear()

    def _next_doubtful(self) -> list[tuple[str, AccessSession]]:
        """The tokens used last, latest first, taken out: the likeliest to be needed soon."""
        count = min(len(self._doubtful), AT_A_TIME)
        return [self._doubtful.popitem() for _ in range(count)]

    async def _read_again(self, known: list[tuple[str, AccessSession]]) -> None:
        """Remember those of `known` whose sessions are still honoured, as they are now."""
        generation = self._revisions.generation
        found = await self._verifier.verify_again([session for _, session in known])
        if self._revisions.generation != generation:
            return  # rights changed once more: whoever comes is verified by himself
        for (token, _), fresh in zip(known, found, strict=True):
            is_full = len(self._remembered) >= self._most_remembered
            if fresh is not None and not is_full and token not in self._remembered:
                self._remembered[token] = fresh
                # Each of them was used less lately than all that came before.
                self._remembered.move_to_end(token, last=False)
