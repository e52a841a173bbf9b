"""One request and its answer, between the parser and the application: what uvicorn's cycle does, with less.

It takes the place of uvicorn's RequestResponseCycle where speed counts, and has the attributes that uvicorn's
protocol uses. The head of an answer waits for its body, where one is announced, so that both travel in one
packet and one system call: of all that a server does for a small answer these are the dearest, and uvicorn
makes two. Header fields are looked at all together. What nearly no request needs is made when it is needed:
an event for a body that is waited for, a buffer for one that comes in pieces.
"""

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl

RawHeaders = Collection[tuple[bytes, bytes]]

JOINED_BYTES: Final = 65_536
"""A body that is longer than this is not copied behind its head but written beside it."""

_NAMES: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]*")  # tokens of RFC 9110, in lower case
_UNSAFE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_WITHOUT_BODY: Final = (204, 304)
_FAILED: Final = b"Internal Server Error"
_FAILED_FIELDS: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"%d" % len(_FAILED)),
    (b"connection", b"close"),
)

_logger = logging.getLogger("uvicorn.error")


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


_STATUS_LINES: Final = tuple(_status_line(status) for status in range(600))


class Connection(Protocol):
    """What a cycle needs of the connection that it belongs to."""

    transport: asyncio.Transport
    flow: FlowControl
    tasks: set[asyncio.Task[None]]

    def fields_of_all(self) -> bytes:
        """The header fields that every answer of the process has, as they are written."""

    def read_on(self) -> None:
        """The application wants to know what comes: read it, unless enough has come."""

    def on_response_complete(self) -> None:
        """The answer was written: the next request may be answered."""


class Cycle:
    """The request of `scope` and its answer. One that does not say how long it is goes out in chunks, or to a
    client of HTTP/1.0 until the connection is closed.

    `task` is the one that `run` runs in, for whoever starts it to note.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_event",
        "_has_begun",
        "_has_news",
        "_head",
        "_is_chunked",
        "_is_head",
        "_left",
        "disconnected",
        "flow",
        "keep_alive",
        "more_body",
        "response_complete",
        "scope",
        "task",
        "transport",
        "waiting_for_100_continue",
    )

    def __init__(
        self, connection: Connection, scope: Scope, *, keep_alive: bool, expect_100_continue: bool
    ) -> None:
        self.scope = scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expect_100_continue
        self.disconnected = False
        self.more_body = True
        self.response_complete = False
        self.task: asyncio.Task[None] | None = None
        self._connection: Connection | None = connection
        self._body: bytes | bytearray = b""
        self._event: asyncio.Event | None = None
        self._has_begun = False
        self._has_news = False
        self._head = b""
        self._is_head = scope["method"] == "HEAD"
        self._is_chunked = False
        self._left: int | None = 0
        """Bytes that the body is still short of; None: it ends when it ends."""

    @property
    def response_started(self) -> bool:
        """Whether anything of the answer was written. A head that is held back was not."""
        return self._has_begun and not self._head

    # What comes in

    def add_body(self, part: bytes) -> None:
        """A part of the request's body came."""
        if not self._body:
            self._body = part
        elif self._body.__class__ is bytearray:
            self._body += part
        else:
            self._body = bytearray(self._body)
            self._body += part
        if len(self._body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.set()

    def end_body(self) -> None:
        """The request has come whole."""
        self.more_body = False
        self.set()

    @property
    def message_event(self) -> "Cycle":
        """What uvicorn's protocol calls `set` of."""
        return self

    def set(self) -> None:
        """There is something new for `receive`."""
        self._has_news = True
        if self._event is not None:
            self._event.set()

    async def receive(self) -> Message:
        """The ASGI `receive`."""
        if self.waiting_for_100_continue and not (self.disconnected or self.transport.is_closing()):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not (self.disconnected or self.response_complete):
            if self.flow.read_paused and self._connection is not None:
                self._connection.read_on()
            if not self._has_news:
                self._event = self._event or asyncio.Event()
                self._event.clear()
                await self._event.wait()
            self._has_news = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self._body = self._body, b""
        return {"type": "http.request", "body": bytes(body), "more_body": self.more_body}

    # What goes out

    async def send(self, message: Message) -> None:
        """The ASGI `send`. Raises RuntimeError for what is no answer: messages in the wrong order, header
        fields that could be taken for others, a body of another length than was said."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        connection = self._connection
        if self.disconnected or connection is None:
            return
        kind = message["type"]
        if kind == "http.response.body" and self._has_begun and not self.response_complete:
            is_last = not message.get("more_body", False)
            self._send_body(connection, message.get("body", b""), is_last=is_last)
        elif kind == "http.response.start" and not self._has_begun:
            self._send_head(connection, message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"the application sent {kind!r} when it was not its turn")

    def _send_head(self, connection: Connection, status: int, fields: RawHeaders) -> None:
        self._has_begun = True
        self.waiting_for_100_continue = False
        names, values = _checked(fields)
        parts = [_STATUS_LINES[status], connection.fields_of_all()]
        length: int | None = None
        says_close = False
        for name, value in zip(names, values, strict=True):
            parts += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                self._is_chunked = value.lower() == b"chunked"
            elif name == b"connection" and b"close" in map(bytes.strip, value.lower().split(b",")):
                self.keep_alive, says_close = False, True
        if self._is_head or status in _WITHOUT_BODY:
            self._left = 0
        elif not self._is_chunked:
            self._left = length
            if length is None and self.scope["http_version"] != "1.0":
                self._is_chunked = True
                parts.append(b"transfer-encoding: chunked\r\n")
        if not (self.keep_alive or says_close):
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        self._head = b"".join(parts)
        if self._is_chunked or self._left is None:
            self._write(b"")  # the body may be long in coming

    def _send_body(self, connection: Connection, body: bytes, *, is_last: bool) -> None:
        if self._is_head:
            body = b""
        elif self._is_chunked:
            body = _chunk(body, is_last=is_last)
        elif self._left is not None:
            if len(body) > self._left:
                raise RuntimeError(f"the body is {len(body) - self._left} bytes longer than was said")
            self._left -= len(body)
        self._write(body)
        if is_last:
            if self._left:
                raise RuntimeError(f"the body is {self._left} bytes shorter than was said")
            self.response_complete = True
            self.set()
            if not self.keep_alive:
                self.transport.close()
            connection.on_response_complete()

    def _write(self, body: bytes) -> None:
        """The head, unless it was written, and `body`."""
        head = self._head
        if not head:
            if body:
                self.transport.write(body)
            return
        self._head = b""
        if len(body) <= JOINED_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))
            # look whether the buffer is full: before Python 3.12.9 asyncio's `writelines` does not
            self.transport.set_write_buffer_limits()

    # From beginning to end

    async def run(self, app: ASGIApp) -> None:
        """Have `app` answer. What it leaves undone becomes 500, or where the answer has begun, the end of the
        connection: the client has to see that it is not whole."""
        connection = self._connection
        try:
            await app(self.scope, self.receive, self.send)
            if not (self.response_complete or self.disconnected):
                _logger.error("the application returned without a whole answer to %r", self.scope["path"])
                await self._fail()
        except (Exception, SystemExit):
            _logger.exception("the application failed at %r", self.scope["path"])
            await self._fail()
        finally:
            self._connection = None
            if connection is not None and self.task is not None:
                connection.tasks.discard(self.task)
                self.task = None
            # One that is disconnected is closed, or has been refused and is about to be.
            if not (self.response_complete or self.disconnected):
                self._write(b"")
                self.transport.close()

    async def _fail(self) -> None:
        if not self._has_begun:
            await self.send({"type": "http.response.start", "status": 500, "headers": _FAILED_FIELDS})
            await self.send({"type": "http.response.body", "body": _FAILED})


def _checked(fields: RawHeaders) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The names, in lower case, and the values of header fields. Raises RuntimeError where one could be taken
    for something else, as another field or the end of the head."""
    if not fields:
        return (), ()
    names, values = zip(*fields, strict=True)
    if not _NAMES.fullmatch(b"".join(names)):
        names = tuple(map(bytes.lower, names))
    if not _NAMES.fullmatch(b"".join(names)) or _UNSAFE.search(b"".join(values)):
        raise RuntimeError(f"the application sent what is no header field: {list(fields)!r}")
    return names, values


def _chunk(body: bytes, *, is_last: bool) -> bytes:
    """A part of a body as RFC 9112 frames it: its length and itself; a length of 0 is the end."""
    framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return framed + b"0\r\n\r\n" if is_last else framed
