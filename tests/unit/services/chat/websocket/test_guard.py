import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.core.access import AccessSession
from app.core.errors import Unauthenticated
from orm import DatabaseUnavailable
from services.chat.websocket.guard import SocketGuard
from tests.support.eventually import eventually

ADA = AccessSession(user_id=1, login="ada", name="Ada")


class Tokens:
    """An authenticator whose answers a test decides."""

    def __init__(self) -> None:
        self.known: dict[str, AccessSession] = {}
        self.valid: dict[str, AccessSession] = {}
        self.is_away = False
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def cached(self, token: str) -> AccessSession | None:
        return self.known.get(token)

    async def verify_access(self, token: str) -> AccessSession:
        self.asked.append(token)
        await self.may_answer.wait()
        if self.is_away:
            raise DatabaseUnavailable("away")
        try:
            return self.valid[token]
        except KeyError:
            raise Unauthenticated("over") from None


class Socket:
    """A socket that remembers what the guard did."""

    def __init__(self, token: str = "t") -> None:
        self.token = token
        self.session = ADA
        self.sessions: list[AccessSession] = []
        self.is_signed_out = False

    def renew(self, token: str, session: AccessSession) -> None:
        self.sessions.append(session)

    def sign_out(self, token: str) -> None:
        if token == self.token:
            self.is_signed_out = True

    async def wait_closed(self) -> None:
        await eventually(lambda: self.is_signed_out)


@asynccontextmanager
async def guarding(tokens: Tokens | None, *sockets: Socket) -> AsyncIterator[SocketGuard]:
    guard = SocketGuard(lambda: tokens, look_seconds=0.001)
    for socket in sockets:
        guard.watch(socket)
    guard.start()
    try:
        yield guard
    finally:
        await guard.stop()


async def test_a_socket_whose_token_is_known_by_heart_costs_no_verification() -> None:
    tokens, socket = Tokens(), Socket()
    tokens.known["t"] = ADA
    async with guarding(tokens, socket):
        await eventually(lambda: len(socket.sessions) > 3)
    assert tokens.asked == []
    assert not socket.is_signed_out


async def test_a_socket_whose_session_is_over_is_signed_out() -> None:
    tokens, socket = Tokens(), Socket()
    async with guarding(tokens, socket):
        await eventually(lambda: socket.is_signed_out)


async def test_a_forgotten_token_that_is_still_valid_keeps_its_socket() -> None:
    tokens, socket = Tokens(), Socket()
    tokens.valid["t"] = ADA
    async with guarding(tokens, socket):
        await eventually(lambda: socket.sessions)
    assert socket.sessions[0] is ADA
    assert not socket.is_signed_out


async def test_a_token_is_verified_once_at_a_time() -> None:
    tokens, socket = Tokens(), Socket()
    tokens.may_answer.clear()
    async with guarding(tokens, socket) as guard:
        await eventually(lambda: tokens.asked)
        guard._look(tokens)
        guard._look(tokens)
        tokens.may_answer.set()
        await eventually(lambda: socket.is_signed_out)
    assert tokens.asked[0] == "t"


async def test_sockets_stay_while_nobody_can_say_whether_they_may(caplog: pytest.LogCaptureFixture) -> None:
    tokens, socket = Tokens(), Socket()
    tokens.is_away = True
    async with guarding(tokens, socket):
        await eventually(lambda: len(tokens.asked) > 2)
        assert not socket.is_signed_out
        tokens.is_away = False
        await eventually(lambda: socket.is_signed_out)
    assert len(caplog.records) == 1  # not one for every socket and look


async def test_a_token_that_was_renewed_meanwhile_is_not_held_against_its_socket() -> None:
    tokens, socket = Tokens(), Socket()
    tokens.may_answer.clear()
    async with guarding(tokens, socket):
        await eventually(lambda: tokens.asked)
        socket.token = "new"
        tokens.known["new"] = ADA
        tokens.may_answer.set()
        await eventually(lambda: socket.sessions)
    assert not socket.is_signed_out


async def test_a_socket_that_is_over_is_looked_at_no_more() -> None:
    tokens, socket = Tokens(), Socket()
    tokens.known["t"] = ADA
    async with guarding(tokens, socket) as guard:
        await eventually(lambda: socket.sessions)
        guard.forget(socket)
        guard.forget(socket)
        assert len(guard) == 0


async def test_the_end_of_all_sockets_can_be_waited_for() -> None:
    tokens, sockets = Tokens(), [Socket(), Socket()]
    async with guarding(tokens, *sockets) as guard:
        await guard.wait_closed()
    assert all(socket.is_signed_out for socket in sockets)


async def test_it_knows_a_session_of_each_user_who_has_a_socket() -> None:
    bob = AccessSession(user_id=2, login="bob", name="Bob")
    first, second, third = Socket(), Socket(), Socket()
    third.session = bob
    async with guarding(None, first, second, third) as guard:
        assert guard.sessions == {1: ADA, 2: bob}
        guard.forget(third)
        assert guard.sessions == {1: ADA}
