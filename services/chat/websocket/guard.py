"""Sockets end with their sessions: expired, revoked, or of a user who was disabled.

A socket outlives the moment in which its token was verified, so each token is looked up again and again in
what the authenticator knows by heart, which costs less than a microsecond; only a token that it no longer
vouches for is verified anew. One task looks after all sockets of a process.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from app.core.access import AccessSession, Authenticator
from app.core.errors import Unauthenticated
from app.realtime.tasks import Tasks
from orm import Problem

_logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
"""Between two looks. What is revoked has to be honoured within a second; half of it is the authenticator's.
"""

VERIFICATIONS_AT_ONCE: Final = 4
"""Of the ten connections that a process has: after a change of rights every socket asks at once."""


class Guarded(Protocol):
    """What the guard needs of a socket."""

    @property
    def token(self) -> str:
        """The token that it is signed in with now."""

    @property
    def session(self) -> AccessSession:
        """What that token stands for, as it was last verified."""

    def renew(self, token: str, session: AccessSession) -> None:
        """The token stands for this session now; nothing happens if the socket has got another token
        meanwhile.
        """

    def sign_out(self, token: str) -> None:
        """The token is not honoured any more; nothing happens if the socket has got another one meanwhile."""

    async def wait_closed(self) -> None:
        """Return when the socket is over."""


class SocketGuard:
    """See the module. `authenticator` gives the one of the environment, None where there is none."""

    def __init__(
        self, authenticator: Callable[[], Authenticator | None], *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._authenticator = authenticator
        self._look_seconds = look_seconds
        self._sockets: set[Guarded] = set()
        self._in_doubt: set[Guarded] = set()
        self._places = asyncio.Semaphore(VERIFICATIONS_AT_ONCE)
        self._tasks = Tasks()
        self._is_in_the_dark = False

    def __len__(self) -> int:
        """How many sockets there are."""
        return len(self._sockets)

    @property
    def sessions(self) -> dict[int, AccessSession]:
        """A session of each user who has a socket here."""
        return {socket.session.user_id: socket.session for socket in self._sockets}

    def start(self) -> None:
        """Begin to look."""
        self._tasks.spawn(self._run(), name="guard of the chat's sockets")

    async def stop(self) -> None:
        """Look no more. May be called twice."""
        await self._tasks.stop()

    async def wait_closed(self) -> None:
        """Return when every socket that is here now is over."""
        await asyncio.gather(*(socket.wait_closed() for socket in self._sockets))

    def watch(self, socket: Guarded) -> None:
        """From now on the socket ends with its session."""
        self._sockets.add(socket)

    def forget(self, socket: Guarded) -> None:
        """The socket is over. May be called twice."""
        self._sockets.discard(socket)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            authenticator = self._authenticator()
            if authenticator is not None:
                self._look(authenticator)

    def _look(self, authenticator: Authenticator) -> None:
        for socket in self._sockets - self._in_doubt:
            token = socket.token
            session = authenticator.cached(token)
            if session is not None:
                socket.renew(token, session)
            else:
                self._in_doubt.add(socket)
                self._tasks.spawn(
                    self._verify(socket, token, authenticator), name="verify the token of a socket"
                )

    async def _verify(self, socket: Guarded, token: str, authenticator: Authenticator) -> None:
        try:
            async with self._places:
                session = await authenticator.verify_access(token)
        except Unauthenticated:
            self._is_in_the_dark = False
            socket.sign_out(token)
        except Problem as problem:
            # It cannot be said now, mostly because the database is away, and then there is nothing to hear
            # either: ending thousands of sockets would only bring them all back at once. The next look asks
            # again.
            if not self._is_in_the_dark:
                _logger.warning("the tokens of sockets cannot be verified: %s", problem)
            self._is_in_the_dark = True
        else:
            self._is_in_the_dark = False
            socket.renew(token, session)
        finally:
            self._in_doubt.discard(socket)
