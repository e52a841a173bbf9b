"""The guarded connection on h11, for an installation without `[fast]`."""

from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.server.protocols.connection import GuardedConnection, Phase, not_http, too_long, too_many_fields
from app.server.protocols.guard import MOST_HEADERS
from orm.errors import Problem

_PHASES = {h11.IDLE: Phase.HEAD, h11.SEND_BODY: Phase.BODY}
_OVER = (h11.ERROR, h11.CLOSED, h11.SWITCHED_PROTOCOL)
_TOO_LARGE = 431
_VERSIONS = (b"1.0", b"1.1")


class H11Connection(GuardedConnection, H11Protocol):
    """See the package. h11 understands one request at a time: a refusal's turn has always come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = self._parser = _Parser(self._max_head_bytes)
        self._is_socket = False

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._failure is not None or self.conn.their_state is h11.MUST_CLOSE:
            self._drop(data)
            return
        # Between two requests empty lines are no beginning of a third: they do not keep a connection alive.
        is_idle = self.conn.their_state is h11.IDLE and not data.strip(b"\r\n")
        if not is_idle or self.conn.trailing_data[0]:
            self._unset_keepalive_if_required()
        self.conn.receive_data(data)
        self.handle_events()
        if self._guard.is_stopping:
            self.begin_stop()
        self._follow()

    def on_response_complete(self) -> None:
        """An answer is over: what waits is next."""
        super().on_response_complete()
        if not (self._failure is not None or self.transport.is_closing()):
            self._follow()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """The connection becomes a WebSocket."""
        self._is_socket = True
        self._hand_over()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """The parser has failed."""
        if self._phase is not Phase.BODY:
            self.headers = self._parser.refused_headers
        self._fail(self._parser.problem)

    def _follow(self) -> None:
        if self._failure is not None or self._is_socket or self.conn.their_state in _OVER:
            return
        phase = _PHASES.get(self.conn.their_state, Phase.DONE)
        if phase is Phase.HEAD and not self.conn.trailing_data[0]:
            # Nothing of the next one is here: the connection's first deadline or its keep-alive counts.
            if self._phase is not Phase.NOTHING:
                self._phase = Phase.DONE
                self._unwatch()
        elif phase is Phase.DONE:
            self._phase = phase
            self._unwatch()
        else:
            self._phase = phase
            self._watch()

    def _let_be_last(self) -> None:
        super()._let_be_last()
        if CLOSE_HEADER not in self.cycle.scope["headers"]:
            self.cycle.scope["headers"].append(CLOSE_HEADER)  # from which uvicorn makes the answer's own

    def _turn_has_come(self, *, is_between: bool) -> bool:
        return True


class _Parser(h11.Connection):
    """h11's parser, stricter: what two programs could understand in two ways is refused."""

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self._max_head_bytes = max_head_bytes
        self.problem: Problem = not_http("")
        self.refused_headers: list[tuple[bytes, bytes]] = []

    def next_event(self) -> Any:
        """The next event. Raises RemoteProtocolError, and then `problem` says what was wrong.

        What follows a request that said it was the last one is none, and no reason to refuse that one."""
        if self.their_state is h11.MUST_CLOSE:
            return h11.NEED_DATA
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            is_too_long = error.error_status_hint == _TOO_LARGE
            self.problem = too_long(self._max_head_bytes) if is_too_long else not_http(str(error))
            raise
        if type(event) is h11.Request:
            wrong = self._wrong_with(event)
            if wrong is not None:
                self.problem = wrong
                self.refused_headers = list(event.headers)
                raise h11.RemoteProtocolError(wrong.detail)
        return event

    def _wrong_with(self, head: h11.Request) -> Problem | None:
        names = [name for name, _ in head.headers]
        if len(names) > MOST_HEADERS:
            return too_many_fields()
        if sum(len(name) + len(value) + 4 for name, value in head.headers) > self._max_head_bytes:
            return too_long(self._max_head_bytes)
        if head.http_version not in _VERSIONS:
            return not_http("its version is neither 1.0 nor 1.1")
        if b"transfer-encoding" in names and b"content-length" in names:
            return not_http("Content-Length and Transfer-Encoding exclude each other")
        return None
