"""The guarded connection on httptools, the parser of `[fast]`."""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.server.protocols.connection import (
    GuardedConnection,
    Phase,
    not_http,
    too_long,
    too_many_fields,
    wrong_host,
)
from app.server.protocols.guard import MOST_HEADERS
from orm.errors import Problem

_NOTHING, _HEAD, _BODY, _DONE = Phase


class HttptoolsConnection(GuardedConnection, HttpToolsProtocol):
    """See the package. `data_received` stands in place of uvicorn's, which answers errors out of turn.

    uvicorn's methods are called by the name of their class: each request passes through here, and super()
    costs twice as much.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun = 0
        self._hosts = 0
        self._head_bytes = 0
        self._is_socket = False

    def data_received(self, data: bytes) -> None:
        """Parse what came, no more than a head's length at a time."""
        if len(data) + self._head_bytes <= self._max_head_bytes:
            self._parse(data)
        else:
            self._parse_slowly(data)

    def _parse_slowly(self, data: bytes) -> None:
        while data and self._failure is None and not self._is_socket:
            room = self._max_head_bytes - self._head_bytes
            if room <= 0:
                self._fail(too_long(self._max_head_bytes))
                return
            self._parse(data[:room])
            data = data[room:]
        if self._failure is not None:
            self._drop(data)

    def _parse(self, data: bytes) -> None:
        if self._failure is not None:
            self._drop(data)
            return
        begun, before = self._begun, self._phase
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
            return
        except httptools.HttpParserError as error:
            self._fail(_problem(error))
            return
        if self._phase is not _DONE:
            is_pure = begun == self._begun or (begun + 1 == self._begun and before in (_NOTHING, _DONE))
            if self._phase is _HEAD and is_pure:
                # Where the head began behind something else, that piece is not counted: at worst a head may
                # be twice as long.
                self._head_bytes += len(data)
            self._watch()
        elif self._timer is not None:
            self._unwatch()

    def _upgrade(self) -> None:
        if not self._should_upgrade():
            # What we do not speak is ignored, as HTTP has it; but the parser takes no more requests.
            self.cycle.keep_alive = False
            self._unwatch()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._phase = _HEAD
            self._fail(not_http("a WebSocket cannot begin while an answer is awaited"))
        else:
            self._is_socket = True
            self._hand_over()
            self.handle_websocket_upgrade()

    def _turn_has_come(self, *, is_between: bool) -> bool:
        if self._phase is _BODY:  # it is for the last request that waits, or the one that is being answered
            return len(self.pipeline) <= is_between
        return self.cycle is None or self.cycle.response_complete

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request begins."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if self._timer is not None:
            self._unwatch()
        self._begun += 1
        self._hosts = 0
        self._head_bytes = 0
        self._phase = _HEAD
        HttpToolsProtocol.on_message_begin(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of the head."""
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is over: the application is started, unless there is something wrong with the head."""
        if self._hosts != 1 and (self._hosts or self.parser.get_http_version() != "1.0"):
            raise wrong_host(self._hosts)
        if len(self.headers) > MOST_HEADERS:
            raise too_many_fields()
        HttpToolsProtocol.on_headers_complete(self)
        if self._guard.is_stopping and self.cycle is not None:
            self._let_be_last()
        self._head_bytes = 0
        self._phase = _BODY

    def on_message_complete(self) -> None:
        """The request is over."""
        self._phase = _DONE
        HttpToolsProtocol.on_message_complete(self)

    def on_response_complete(self) -> None:
        """An answer is over: what waits is next, another request or a refusal."""
        if self._failure is None or not self._take_turn():
            HttpToolsProtocol.on_response_complete(self)


def _problem(error: httptools.HttpParserError) -> Problem:
    if isinstance(error, httptools.HttpParserCallbackError):
        cause = error.__context__
        return cause if isinstance(cause, Problem) else not_http("its target is no path")
    return not_http(str(error))
