"""Calls an ASGI application without a server: one request, or one socket, and everything that it sent."""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message

Headers = Iterable[tuple[str, str]]


class Answered(msgspec.Struct):
    """What came back. Headers of one name are joined by comma; `is_complete` is whether the body ended."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_complete: bool
    messages: list[Message]

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


def http_scope(
    method: str, path: str, *, headers: Headers = (), query: str = "", client: str | None = "203.0.113.9"
) -> dict[str, Any]:
    """The scope of one HTTP/1.1 request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="surrogateescape"),
        "root_path": "",
        "query_string": query.encode(),
        "headers": _raw(headers),
        "client": None if client is None else (client, 4711),
        "server": ("127.0.0.1", 8000),
    }


def socket_scope(path: str, *, headers: Headers = (), can_refuse: bool = True) -> dict[str, Any]:
    """The scope of one WebSocket handshake."""
    scope = http_scope("GET", path, headers=headers)
    del scope["method"]
    extensions: dict[str, dict[str, str]] = {"websocket.http.response": {}} if can_refuse else {}
    return {**scope, "type": "websocket", "scheme": "ws", "subprotocols": [], "extensions": extensions}


class Client:
    """The far end of one request: gives a body in `parts`, then waits for its answer and leaves."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts) or [b""]
        self.sent: list[Message] = []
        self.is_answered = asyncio.Event()

    async def receive(self) -> Message:
        """The next part of the body; after the last, a disconnect as soon as the answer is complete."""
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts)}
        await self.is_answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep a message."""
        self.sent.append(message)
        if message["type"].endswith("response.body") and not message.get("more_body"):
            self.is_answered.set()

    def answered(self) -> Answered:
        """What was sent so far, put together."""
        starts = [message for message in self.sent if message["type"].endswith(("response.start", ".accept"))]
        headers: dict[str, str] = {}
        for name, value in starts[0].get("headers", ()) if starts else ():
            text = value.decode("latin-1")
            headers[name.decode()] = f"{headers[name.decode()]}, {text}" if name.decode() in headers else text
        body = b"".join(message.get("body", b"") for message in self.sent)
        status = starts[0].get("status", 101) if starts else 0
        return Answered(status, headers, body, self.is_answered.is_set(), self.sent)


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    *parts: bytes,
    headers: Headers = (),
    query: str = "",
    client: str | None = "203.0.113.9",
) -> Answered:
    """Send one request whose body comes in `parts`; nothing is added to `headers`."""
    far_end = Client(*parts)
    scope = http_scope(method, path, headers=headers, query=query, client=client)
    await app(scope, far_end.receive, far_end.send)
    return far_end.answered()


async def shake_hands(app: ASGIApp, path: str, *, headers: Headers = (), can_refuse: bool = True) -> Answered:
    """Open one socket and leave it as soon as the application reads from it."""
    far_end = Client()
    incoming = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "websocket.disconnect", "code": 1001}

    await app(socket_scope(path, headers=headers, can_refuse=can_refuse), receive, far_end.send)
    return far_end.answered()


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
