"""The far end of a WebSocket at /ws/chat, in the process of the test.

    async with ada.socket() as socket:
        await socket.send({"type": "subscribe", "chat_id": chat_id})
        await socket.expect("subscribed")
        ...
        message = await socket.expect("new_message", chat_id=chat_id)

Nothing in here sleeps: each wait ends when what it waits for comes, or fails at its deadline with what came
instead.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.types import Message

PATIENCE_SECONDS: Final = 10.0
"""How long a frame is waited for: far longer than any takes, so that a busy machine fails no test."""

CHAT: Final = "/ws/chat"

Frame = dict[str, Any]


class Socket:
    """One socket. `heard` are the frames that came so far, in order."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._code: int | None = None

    async def receive(self) -> Message:
        """What the application takes from the socket: its ASGI `receive`."""
        return await self._incoming.get()

    async def deliver(self, message: Message) -> None:
        """What the application gives to the socket: its ASGI `send`."""
        if message["type"] != "websocket.accept":
            self._outgoing.put_nowait(message)

    def put(self, message: Message) -> None:
        """The application will `receive` that."""
        self._incoming.put_nowait(message)

    async def send(self, frame: object) -> None:
        """Send a frame: JSON, or a text as it is."""
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        self.put({"type": "websocket.receive", "text": text})

    async def next(self, *, within_seconds: float = PATIENCE_SECONDS) -> Frame:
        """The next frame. Raises AssertionError when none comes in time, or the socket is closed."""
        found = await self._next_or_none(within_seconds)
        if found is None:
            raise AssertionError(f"the socket was closed with {self._code} before the next frame")
        return found

    async def expect(self, type: str, *, within_seconds: float = PATIENCE_SECONDS, **fields: object) -> Frame:
        """The next frame of that type with these fields; others before it are passed over (see `heard`)."""
        passed: list[Frame] = []
        try:
            async with asyncio.timeout(within_seconds):
                while True:
                    frame = await self._next_or_none(None)
                    if frame is None:
                        break
                    if frame["type"] == type and all(frame.get(name) == fields[name] for name in fields):
                        return frame
                    passed.append(frame)
        except TimeoutError:
            end = f"did not come within {within_seconds:g} s"
        else:
            end = f"did not come before the socket was closed with {self._code}"
        wanted = {"type": type, **fields}
        came = "".join(f"\n  {frame}" for frame in passed) or " nothing"
        raise AssertionError(f"{wanted} {end}; what came:{came}")

    async def ask(self, frame: object, *, within_seconds: float = PATIENCE_SECONDS) -> Frame:
        """Send a frame, and give the next one that comes."""
        await self.send(frame)
        return await self.next(within_seconds=within_seconds)

    async def expect_silence(self) -> None:
        """Nothing was said to us before the answer to a ping. Raises AssertionError with what was."""
        frame = await self.ask({"type": "ping"})
        if frame != {"type": "pong"}:
            raise AssertionError(f"there should have been silence, and there was {frame}")

    async def close_code(self, *, within_seconds: float = PATIENCE_SECONDS) -> int:
        """The code that the application closes with; frames before it are passed over (see `heard`)."""
        try:
            async with asyncio.timeout(within_seconds):
                while await self._next_or_none(None) is not None:
                    pass
        except TimeoutError:
            raise AssertionError(f"the socket was not closed within {within_seconds:g} s") from None
        assert self._code is not None
        return self._code

    async def _next_or_none(self, within_seconds: float | None) -> Frame | None:
        """The next frame, or None when the application has closed the socket."""
        if self._code is not None:
            return None
        try:
            async with asyncio.timeout(within_seconds):
                message = await self._outgoing.get()
        except TimeoutError:
            raise AssertionError(f"no frame came within {within_seconds:g} s") from None
        if message["type"] == "websocket.close":
            self._code = message["code"]
            return None
        frame: Frame = msgspec.json.decode(message["text"])
        self.heard.append(frame)
        return frame


@asynccontextmanager
async def open_socket(app: Starlette, *, token: str | None, path: str = CHAT) -> AsyncIterator[Socket]:
    """A socket on `path`, signed in with `token` if there is one; it is left after the block.

    Raises AssertionError when the token is refused, and after the block what the application raised.
    """
    socket = Socket()
    socket.put({"type": "websocket.connect"})
    serving = asyncio.create_task(app(_scope(path), socket.receive, socket.deliver), name="socket")
    try:
        if token is not None:
            await socket.send({"type": "auth", "token": token})
            await socket.expect("ready")
        yield socket
    finally:
        socket.put({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE_SECONDS):
            await serving


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "client": ("198.18.255.255", 4711),
        "server": ("testserver", 80),
        "subprotocols": [],
        "extensions": {},
    }
