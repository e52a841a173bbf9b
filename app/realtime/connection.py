"""One socket and its one bounded queue, over plain ASGI.

    connection = Connection(receive, send, abort=abort_of(scope))
    async with connection:
        await connection.accept("starling.v1")
        while (text := await connection.receive()) is not None:
            ...

`send_nowait` and `close` never wait, so that whoever tells a thousand sockets something waits for none of
them. A writer task exists only while something waits to be written: an idle socket has none. A transport that
can take finished frames without ASGI's detour belongs into `send_nowait`, before the queue; nothing else
would change.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

from app.realtime.close_codes import CloseCode
from app.realtime.events import Frame

logger = logging.getLogger(__name__)

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]

TRANSPORT_EXTENSION: Final = "starling.transport"
"""Key in the scope's `extensions` under which our server gives the socket's asyncio transport."""

MAX_QUEUED_FRAMES: Final = 256
MAX_QUEUED_BYTES: Final = 1 << 20  # both from the contract: past either of them the reader is slow and is cut
CONGESTED_PART: Final = 4  # a replay fills a quarter of the queue, the rest is for what happens meanwhile
CLOSE_SECONDS: Final = 1.0  # for the frames before a close, and the close itself, to be written
STALL_SECONDS: Final = 20.0  # a replay that could not go on for so long has a dead reader
UNKNOWN_PEER_CODE: Final = 1006  # what a lost connection is called when the server does not say


def abort_of(scope: Mapping[str, Any]) -> Callable[[], None] | None:
    """What ends the connection of this scope at once, or None where the server does not offer it.

    ASGI has no way to say it, and a transport that is closed in the ordinary way first writes out its buffer,
    for ever if the peer does not read.
    """
    transport = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
    return transport.abort if transport is not None else None


class Connection:
    """See the module. Leaving its `async with` block closes the socket and waits for the end.

    `abort` ends the connection at once; without it a peer that does not read keeps its transport until the
    server gives up on it. Not to be used from several threads; `receive` by one task.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        abort: Callable[[], None] | None = None,
        max_queued_frames: int = MAX_QUEUED_FRAMES,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        close_seconds: float = CLOSE_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._receive = receive
        self._send = send
        self._abort = abort
        self._max_frames = max_queued_frames
        self._max_bytes = max_queued_bytes
        self._close_seconds = close_seconds
        self._stall_seconds = stall_seconds
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0  # the frame in the writer's hands included
        self._writer: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._reading: asyncio.Timeout | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._reason = ""
        self._is_over = False
        self._over: asyncio.Event | None = None  # made when somebody waits: an idle socket weighs little
        self.closed_with: CloseCode | None = None
        """The code that we end the socket with; None while it is open, and when the peer ended it."""
        self.peer_code: int | None = None
        """The code that the peer left with (1006: without a word); None while it is there."""

    # -- the life of the socket

    async def accept(self, subprotocol: str | None = None) -> bool:
        """Answer the handshake. False when the peer is gone already."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            self._peer_left(message)
            return False
        try:
            await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        except OSError:
            self._end()
            return False
        return True

    async def receive(self) -> str | None:
        """The next text of the peer; None once the socket is over or being closed.

        A binary frame closes it with PROTOCOL.
        """
        if self.is_closing:
            return None
        try:
            async with asyncio.timeout(None) as self._reading:
                message = await self._receive()
        except TimeoutError:
            if self.is_closing:  # `close` or the writer ended the wait
                return None
            raise
        finally:
            self._reading = None
        if message["type"] != "websocket.receive":
            self._peer_left(message)
            return None
        text: str | None = message.get("text")
        if text is None:
            self.close(CloseCode.PROTOCOL)
        return text

    def send_nowait(self, frame: Frame | bytes) -> None:
        """Queue a finished JSON text; does nothing on a connection that is over or being closed.

        Over the bound the connection is closed with SLOW.
        """
        if self.is_closing:
            return
        if not isinstance(frame, Frame):
            frame = Frame(frame)
        queue = self._queue
        if queue and (len(queue) >= self._max_frames or self._queued_bytes + len(frame) > self._max_bytes):
            self.close(CloseCode.SLOW)
            return
        queue.append(frame)
        self._queued_bytes += len(frame)
        if self._writer is None:
            self._start_writer()

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """End the socket with `code`, after what is queued (SLOW: instead of it).

        It is aborted if that takes more than a second. `receive` answers None from now on; a handler that
        runs is not interrupted. The first call counts.
        """
        if self.is_closing:
            return
        self.closed_with = code
        self._reason = code.reason if reason is None else reason
        if code is CloseCode.SLOW:
            self._queue.clear()
        self._deadline = asyncio.get_running_loop().call_later(self._close_seconds, self._give_up)
        self._wake_waiters()
        if self._writer is None:
            self._start_writer()

    async def wait_closed(self) -> None:
        """Return when it is over: the peer left, the close was written, or the connection was aborted."""
        if not self._is_over:
            self._over = self._over or asyncio.Event()
            await self._over.wait()
        if self._writer is not None:
            await asyncio.wait({self._writer})

    @property
    def is_closing(self) -> bool:
        """Nothing can be sent any more, and nothing is received."""
        return self.closed_with is not None or self._is_over

    async def __aenter__(self) -> "Connection":
        """The connection itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close, unless it is closed: DONE, after an error INTERNAL, when cancelled RESTART; and wait."""
        if kind is None:
            self.close(CloseCode.DONE)
        else:
            self.close(CloseCode.INTERNAL if issubclass(kind, Exception) else CloseCode.RESTART)
        await self.wait_closed()

    # -- for those who send much and can wait

    @property
    def is_congested(self) -> bool:
        """So much is queued that a sender who can wait should."""
        queued = len(self._queue)
        return (
            queued * CONGESTED_PART > self._max_frames
            or self._queued_bytes * CONGESTED_PART > self._max_bytes
        )

    async def drained(self) -> bool:
        """Wait while the connection is congested; False when it is over.

        One that does not move for `stall_seconds` is closed with SLOW.
        """
        while self.is_congested and not self.is_closing:
            self._room = self._room or asyncio.Event()
            try:
                async with asyncio.timeout(self._stall_seconds):
                    await self._room.wait()
            except TimeoutError:
                self.close(CloseCode.SLOW)
        return not self.is_closing

    # -- the writer

    def _start_writer(self) -> None:
        self._writer = asyncio.get_running_loop().create_task(self._write(), name="socket writer")

    async def _write(self) -> None:
        """Write until the queue is empty, then the close if one is due."""
        try:
            while self._queue:
                frame = self._queue.popleft()
                text = frame.text
                await self._send({"type": "websocket.send", "text": text})
                self._queued_bytes -= len(frame)
                if self._room is not None and not self.is_congested:
                    self._room.set()
                    self._room = None
            if self.closed_with is not None:
                await self._send(
                    {"type": "websocket.close", "code": int(self.closed_with), "reason": self._reason}
                )
                self._end()
        except OSError:  # by the ASGI specification: the peer is gone
            self._end()
        except RuntimeError as error:  # the server has ended the socket by itself: a frame too big, no pong
            logger.debug("a socket takes no more frames: %s", error)
            self._give_up()
        except Exception:
            logger.exception("a socket could not be written to")
            self._give_up()
        finally:
            self._writer = None

    def _give_up(self) -> None:
        """The close could not be written in time, or writing failed: end the connection without a word."""
        if self._is_over:
            return
        if self._abort is not None:
            self._abort()
        self._end()

    def _peer_left(self, message: AsgiMessage) -> None:
        self.peer_code = message.get("code") or UNKNOWN_PEER_CODE
        self._end()

    def _end(self) -> None:
        """Nothing is written from here on; everyone who waits is told."""
        if self._is_over:
            return
        self._is_over = True
        if self._over is not None:
            self._over.set()
        self._queue.clear()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._writer is not None and self._writer is not asyncio.current_task():
            self._writer.cancel()
        self._wake_waiters()

    def _wake_waiters(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None
        if self._reading is not None:
            self._reading.reschedule(asyncio.get_running_loop().time())
            self._reading = None  # an expiring timeout refuses to be rescheduled
