"""The guarded connection on httptools, the parser of `[fast]`."""

import urllib.parse
from collections import deque
from typing import Any, Final

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
from app.server.protocols.cycle import Cycle
from app.server.protocols.guard import MOST_HEADERS
from orm.errors import Problem

MOST_WAITING: Final = 16
"""So many requests that wait for their turn are enough: no more is read then. Without a bound they fill the
memory, because thousands can be sent in the time that one answer takes; and while nothing is read, nobody
sees that the client is gone."""

_NOTHING, _HEAD, _BODY, _DONE = Phase


class HttptoolsConnection(GuardedConnection, HttpToolsProtocol):
    """See the package. What each request passes through stands in place of uvicorn's: `data_received`, which
    there answers errors out of turn, and what the parser calls, which does more there than is needed here.
    Limits of concurrency are not among it: connections are counted by the guard.

    A connection that waits for its next request has one timer, which looks how long that has been when it
    goes off, instead of a new one after each answer.
    """

    pipeline: deque[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun = 0
        self._hosts = 0
        self._head_bytes = 0
        self._is_socket = False
        self._idle_since = 0.0
        self._raw_root_path = self.root_path.encode("ascii")
        self._ahead: Cycle | None = None
        """The request that is answered while others wait."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell also the one whose answer others wait for; uvicorn tells the last."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        if self._ahead is not None and not self._ahead.response_complete:
            self._ahead.disconnected = True
            self._ahead.set()

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
        while True:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._upgraded(data[upgrade.args[0] :])
                if not data:
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
            elif before is _BODY and begun == self._begun:
                # A piece without body is what stands between chunks, or trailers: no longer than a head.
                self._head_bytes = 0 if self._head_bytes < 0 else self._head_bytes + len(data)
            self._watch()
        elif self._timer is not None:
            self._unwatch()

    def _upgraded(self, rest: bytes) -> bytes:
        """Do what the request before `rest` asks for. What is to be parsed then, mostly nothing."""
        if not self._should_upgrade():
            return self._as_if_not_asked(rest)
        if self.cycle is not None and not self.cycle.response_complete:
            self._phase = _HEAD
            self._fail(not_http("a WebSocket cannot begin while an answer is awaited"))
        else:
            self._is_socket = True
            self._unset_keepalive_if_required()
            self._hand_over()
            self.handle_websocket_upgrade()
            self.parser = None  # type: ignore[assignment] # which refers to us: nobody else does any more
        return b""

    def _as_if_not_asked(self, rest: bytes) -> bytes:
        """The request without the field that asks for an upgrade, and `rest`, for a parser that begins anew.

        What we do not speak is ignored, as HTTP has it; but this parser has left out the body, and takes no
        other request. Java's client asks for HTTP/2 with every first request."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._fail(not_http("its target is no path"))
            return b""
        start = b"%b %b HTTP/%b\r\n" % (method, self.url, self.parser.get_http_version().encode("ascii"))
        fields = [b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join([start, *fields, b"\r\n", rest])

    def _turn_has_come(self, *, is_between: bool) -> bool:
        if self._phase is _BODY:  # it is for the last request that waits, or the one that is being answered
            return len(self.pipeline) <= is_between
        return self.cycle is None or self.cycle.response_complete

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._timer is not None:
            self._unwatch()
        self._begun += 1
        self._hosts = 0
        self._head_bytes = 0
        self._phase = _HEAD
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

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
        parser = self.parser
        version = parser.get_http_version()
        if self._hosts != 1 and (self._hosts or version != "1.0"):
            raise wrong_host(self._hosts)
        if len(self.headers) > MOST_HEADERS:
            raise too_many_fields()
        raw_path, query = _split(self.url)
        path = raw_path.decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "root_path": self.root_path,
            "path": self.root_path + (urllib.parse.unquote(path) if "%" in path else path),
            "raw_path": self._raw_root_path + raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        self.scope = scope
        self._head_bytes = 0
        self._phase = _BODY
        if not parser.should_upgrade():  # else see _upgraded
            self._begin(version != "1.0" and parser.should_keep_alive())

    def on_chunk_header(self) -> None:
        """What follows the last chunk are trailers, and no fields of the head: who checked or wrote those, a
        proxy for one, has not seen them."""
        if self.headers is self.scope["headers"]:
            self.headers = list(self.headers)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._head_bytes = -1
        if not self.cycle.response_complete:
            self.cycle.add_body(body)

    def on_message_complete(self) -> None:
        """The request is over."""
        self._phase = _DONE
        if not self.parser.should_upgrade():
            self.cycle.end_body()

    # From request to answer, and on to the next one

    def _begin(self, keep_alive: bool) -> None:
        """Answer the request, or let it wait for its turn."""
        before = self.cycle
        self.cycle = Cycle(
            self,
            self.scope,  # type: ignore[arg-type] # uvicorn has types of its own for it
            keep_alive=keep_alive and not self._guard.is_stopping,
            expect_100_continue=self.expect_100_continue,
        )
        if before is None or before.response_complete:
            self._start(self.cycle)
        else:
            if not self.pipeline:
                self._ahead = before
            self.pipeline.appendleft(self.cycle)
            if len(self.pipeline) >= MOST_WAITING:
                self.flow.pause_reading()

    def _start(self, cycle: Cycle) -> None:
        cycle.task = task = self.loop.create_task(cycle.run(self.app))
        self.tasks.add(task)

    def fields_of_all(self) -> bytes:
        """See Cycle."""
        return self._guard.rendered(self.server_state.default_headers)

    def read_on(self) -> None:
        """See Cycle."""
        if len(self.pipeline) < MOST_WAITING:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """An answer is over: what waits is next, another request or a refusal."""
        self.server_state.total_requests += 1
        if (self._failure is not None and self._take_turn()) or self.transport.is_closing():
            return
        if self.pipeline:
            self._ahead = self.pipeline.pop()
            self._start(self._ahead)
            self.read_on()
            return
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for_next(self.timeout_keep_alive)

    def _wait_for_next(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has had no request for so long."""
        self.timeout_keep_alive_task = None
        if self.transport.is_closing():
            return
        left: float = self.timeout_keep_alive
        if self._phase is _DONE and self.cycle.response_complete:
            left += self._idle_since - self.loop.time()
        if left > 0:
            self._wait_for_next(left)
        else:
            self.transport.close()


def _split(url: bytes) -> tuple[bytes, bytes]:
    """The path and the query of a request's target. Raises what the parser raises for one without a path."""
    if url[:1] == b"/" and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""


def _problem(error: httptools.HttpParserError) -> Problem:
    if isinstance(error, httptools.HttpParserCallbackError):
        cause = error.__context__
        return cause if isinstance(cause, Problem) else not_http("its target is no path")
    return not_http(str(error))
