"""What the two HTTP protocols have in common: deadlines, refusals in their turn, and a gentle end."""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from app.core.errors import HeadersTooLarge, Malformed, RequestTimeout, TooManyRequests
from app.http.answers import REFUSED_STATUS, REQUEST_ID
from app.server.protocols.guard import MOST_HEADERS, guard_of
from orm.errors import Problem

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.server import ServerState

LINGER_SECONDS: Final = 2.0
"""How long, after a refusal, what the client still sends is dropped: unread, it would make the kernel reset
the connection, and the reset can overtake the answer."""

LINGER_BYTES: Final = 4_194_304
"""And how much of it: what fits into the buffers of both sides, while the client has not read its answer."""


class Phase(IntEnum):
    """How far the request that comes in has come."""

    NOTHING = 0
    HEAD = 1
    BODY = 2
    DONE = 3


class GuardedConnection(asyncio.Protocol):
    """The common part; subclasses stand it in front of a protocol of uvicorn's and tell it the phase.

    `_turn_has_come` says whether a refusal may be written now, or whether earlier answers are still on their
    way; a subclass calls `_take_turn` when one of them is done.
    """

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    flow: "FlowControl"
    client: tuple[str, int] | None
    cycle: Any
    headers: Any
    _unset_keepalive_if_required: Callable[[], None]

    def __init__(
        self,
        config: "uvicorn.Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)  # type: ignore[call-arg]
        self._guard = guard_of(config)
        self._max_head_bytes = self._guard.max_head_bytes
        self._phase = Phase.NOTHING
        self._timer: asyncio.TimerHandle | None = None
        self._timed = Phase.DONE
        self._stall: asyncio.TimerHandle | None = None
        self._failure: Problem | None = None
        self._dropped = 0

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, and give it the time of a head to begin one."""
        super().connection_made(transport)
        may_stay = self._guard.enter(self.client and self.client[0])
        if may_stay:
            self._watch()
        elif may_stay is None:
            self.transport.abort()
        else:
            self._refuse(TooManyRequests("Too many connections are open from this address."))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything about it."""
        super().connection_lost(exc)
        self._unwatch()
        self._end_stall()
        self._guard.leave(self.client and self.client[0])

    def pause_writing(self) -> None:
        """The client does not read as fast as we write: it has as long as for a body to go on."""
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self._guard.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read on."""
        super().resume_writing()
        self._end_stall()

    # The end of the process

    def begin_stop(self) -> None:
        """The answer that is under way is the last one of this connection."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._let_be_last()

    def end_if_idle(self) -> None:
        """Close it, unless a request is on its way or being answered."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering and self._phase in (Phase.NOTHING, Phase.DONE) and self._failure is None:
            self.transport.close()

    def _let_be_last(self) -> None:
        self.cycle.keep_alive = False

    # Deadlines

    def _watch(self) -> None:
        """Hold the client to the deadline of the phase that it is in."""
        if self._timer is not None:
            if self._timed == self._phase:
                return
            self._timer.cancel()
        is_body = self._phase is Phase.BODY
        seconds = self._guard.body_seconds if is_body else self._guard.header_seconds
        self._timed = self._phase
        self._timer = self.loop.call_later(seconds, self._expired)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _expired(self) -> None:
        self._timer = None
        if self._phase is Phase.NOTHING:
            # Browsers open connections in advance: an answer to nothing would be taken for one to the next
            # request.
            self.transport.close()
        elif self.flow.read_paused:
            self._watch()  # it is we who do not read, because the application does not
        else:
            part = "body" if self._phase is Phase.BODY else "head"
            self._fail(RequestTimeout(f"The {part} of the request did not come in time."))

    # Refusals

    def _fail(self, problem: Problem) -> None:
        """Nothing more is understood on this connection: say so, as soon as earlier requests are answered."""
        self._unwatch()
        self._failure = problem
        if self._turn_has_come(is_between=False):
            self._refuse(problem)
        else:
            self.flow.pause_reading()

    def _turn_has_come(self, *, is_between: bool) -> bool:
        """`is_between`: an answer was just finished, and the next request that waits was not begun."""
        raise NotImplementedError

    def _take_turn(self) -> bool:
        """Whether a refusal waited for the answer that was just finished, and is written now."""
        if self._failure is None or self.transport.is_closing() or not self._turn_has_come(is_between=True):
            return False
        self._refuse(self._failure)
        return True

    def _refuse(self, problem: Problem) -> None:
        """Answer with `problem`, close our side, and drop for a moment what still comes."""
        self._failure = problem
        self._unset_keepalive_if_required()
        cycle = self.cycle if self._phase is Phase.BODY else None
        has_begun = cycle is not None and cycle.response_started
        scope = cycle.scope if cycle is not None else {}
        request_id = scope.get(REQUEST_ID) or self._guard.choose_id(self.headers)
        answer = self._guard.refusal(problem, request_id)
        if cycle is not None and not cycle.response_complete:
            scope[REFUSED_STATUS] = int(answer[9:12])
            cycle.disconnected = True
            cycle.message_event.set()
        if has_begun:  # an answer within another one would be read as a part of it
            self.transport.close()
            return
        self.transport.write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _drop(self, data: bytes) -> None:
        """What comes after a refusal."""
        self._dropped += len(data)
        if self._dropped > LINGER_BYTES:
            self.transport.close()

    def _hand_over(self) -> None:
        """The connection becomes a WebSocket, which counts itself."""
        self._unwatch()
        self._end_stall()
        self._guard.leave(self.client and self.client[0])


def too_long(max_head_bytes: int) -> HeadersTooLarge:
    """What to raise for a head that is longer than it may be."""
    return HeadersTooLarge(f"The head of the request is longer than {max_head_bytes} bytes.")


def too_many_fields() -> HeadersTooLarge:
    """What to raise for a head of more than MOST_HEADERS fields."""
    return HeadersTooLarge(f"The head of the request has more than {MOST_HEADERS} fields.")


def wrong_host(count: int) -> Malformed:
    """What to raise for a head without, or with more than one, Host field."""
    said = "no Host header" if count == 0 else "more than one Host header"
    return Malformed(f"The request has {said}: HTTP/1.1 wants one.")


def not_http(reason: str) -> Malformed:
    """What to raise for what no parser understands; `reason` is the parser's."""
    return Malformed(f"That is no HTTP/1.1: {reason}." if reason else "That is no HTTP/1.1.")
