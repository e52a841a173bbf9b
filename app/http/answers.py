"""What goes out: adds the edge's headers to every answer, remembers how far it got, and answers errors.

An HTTP request and a socket's handshake are answered by different messages but the same words, so both have
one interface.
"""

from collections.abc import Awaitable
from typing import Final

from starlette.types import Message, Scope, Send

from app.http.body_limit import BodyOverLimit, drain
from app.http.cors import RawHeaders
from app.http.problems import is_expected, problem_response
from orm.errors import AccessDenied, Problem

_SWITCHING_PROTOCOLS: Final = 101
_INTERNAL_ERROR: Final = 1011  # WebSocket close code: the server met a condition that it did not expect
_POLICY_VIOLATION: Final = 1008


REQUEST_ID: Final = "starling.request_id"
"""Key in the scope under which the edge leaves the request's id, for answers that it does not write."""

REFUSED_STATUS: Final = "starling.refused_status"
"""Key in the scope under which the server leaves the status with which it refused the rest of a request."""


class BrokenAnswerError(Exception):
    """An answer failed after it had begun; the cause is logged. Makes the server close the connection."""


class HttpAnswer:
    """The answer to one HTTP request. `status` is 0 until it begins; `headers` come on top of its own."""

    __slots__ = ("_is_head", "_request_id", "_send", "headers", "status")

    def __init__(self, send: Send, scope: Scope, request_id: str, headers: RawHeaders) -> None:
        self._send = send
        self._is_head = scope["method"] == "HEAD"
        self._request_id = request_id
        self.headers = headers
        self.status = 0

    def send(self, message: Message) -> Awaitable[None]:
        """The ASGI `send` to hand on."""
        # Not a coroutine function: one that only awaits another would cost every message.
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # A new message, because the application's may be a constant of its own.
            message = {**message, "headers": [*message.get("headers", ()), *self.headers]}
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        return self._send(message)

    async def refuse(self, error: Exception) -> None:
        """Answer with `error` as a problem. Raises BrokenAnswerError when an answer has begun already."""
        if self.status:
            raise BrokenAnswerError(
                f"the answer to {self._request_id} failed after it had begun; see the log for the cause"
            )
        status, headers, body = problem_response(error, self._request_id)
        rest = None
        if isinstance(error, BodyOverLimit):
            headers.append((b"connection", b"close"))
            rest = error.rest
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": rest is not None})
        if rest is not None:
            await drain(rest)
            await self.send({"type": "http.response.body", "body": b""})


class SocketAnswer:
    """The answer to one WebSocket handshake. `status` is 0 until then, 101 for a socket that was accepted."""

    __slots__ = ("_can_refuse", "_is_closed", "_request_id", "_send", "headers", "status")

    def __init__(self, send: Send, scope: Scope, request_id: str, headers: RawHeaders) -> None:
        self._send = send
        self._can_refuse = "websocket.http.response" in (scope.get("extensions") or {})
        self._is_closed = False
        self._request_id = request_id
        self.headers = headers
        self.status = 0

    def send(self, message: Message) -> Awaitable[None]:
        """The ASGI `send` to hand on."""
        kind = message["type"]
        if self.status:
            if kind == "websocket.close":
                self._is_closed = True
        elif kind in ("websocket.accept", "websocket.http.response.start"):
            self.status = message.get("status", _SWITCHING_PROTOCOLS)
            message = {**message, "headers": [*message.get("headers", ()), *self.headers]}
        elif kind == "websocket.close":
            # Left to the server, this would become an answer without the headers that every answer has.
            return self.refuse(AccessDenied("The socket was refused."))
        return self._send(message)

    async def refuse(self, error: Exception) -> None:
        """Answer the handshake with `error` as a problem, or close the socket if it was accepted."""
        if self.status:
            await self._close(error)
        elif self._can_refuse:
            status, headers, body = problem_response(error, self._request_id)
            await self.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await self._send({"type": "websocket.http.response.body", "body": body})
        else:
            self.status = 403  # what servers without that extension make of it
            await self._send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    async def _close(self, error: Exception) -> None:
        if self._is_closed or self.status != _SWITCHING_PROTOCOLS:
            return
        reason = error.code if isinstance(error, Problem) and is_expected(error) else "internal"
        await self.send({"type": "websocket.close", "code": _INTERNAL_ERROR, "reason": reason})


Answer = HttpAnswer | SocketAnswer
