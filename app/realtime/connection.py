"""One socket and its one bounded queue, over plain ASGI.

    connection = Connection(receive, send, transport=transport_of(scope))
    async with connection:
        await connection.accept("starling.v1")
        while (text := await connection.receive()) is not None:
            ...

`send_nowait` and `close` never wait, so that whoever tells a thousand sockets something waits for none of
them. A frame goes straight to the transport where that is possible (`direct`) and nothing waits. Else it is
queued, and a writer task sends it by ASGI; the task exists only while something waits to be written.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

from app.realtime.close_codes import CloseCode
from app.realtime.direct import MAX_BUFFERED_BYTES, Transport, is_direct
from app.realtime.events import Frame, Run
from app.realtime.frame_queue import MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES, FrameQueue

logger = logging.getLogger(__name__)

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]

TRANSPORT_EXTENSION: Final = "starling.transport"
"""Key in the scope's `extensions` under which our server gives the socket's asyncio transport."""

CLOSE_SECONDS: Final = 1.0  # for the frames before a close, and the close itself, to be written
STALL_SECONDS: Final = 20.0  # a replay that could not go on for so long has a dead reader
UNKNOWN_PEER_CODE: Final = 1006  # what a lost connection is called when the server does not say


def transport_of(scope: Mapping[str, Any]) -> Transport | None:
    """The transport of this scope's connection, or None where the server does not offer it."""
    transport: Transport | None = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
    return transport


class Connection:
    """See the module. Leaving its `async with` block closes the socket and waits for the end.

    `transport` lets it end the connection at once, for which ASGI has no word: one that is closed in the
    ordinary way first writes out its buffer, for ever if the peer does not read. `may_be_direct`: frames may
    be written to it, too. Not to be used from several threads; `receive` by one task.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        transport: Transport | None = None,
        may_be_direct: bool = False,
        max_queued_frames: int = MAX_QUEUED_FRAMES,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        close_seconds: float = CLOSE_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._receive = receive
        self._send = send
        self._transport = transport
        self._may_be_direct = may_be_direct
        self._direct: Transport | None = None  # set while frames may go straight to it: none waits
        self._queue = FrameQueue(max_frames=max_queued_frames, max_bytes=max_queued_bytes)
        self._close_seconds = close_seconds
        self._stall_seconds = stall_seconds
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
        self.dropped = 0
        """Frames that were not written because it was closed with SLOW: those that waited, and what came
        afterwards."""

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
        self._may_be_direct = (
            self._may_be_direct and self._transport is not None and is_direct(self._transport)
        )
        self._resume_direct()
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

    def send_nowait(self, frame: Frame) -> None:
        """Write or queue a text; does nothing on a connection that is over or being closed.

        Over the bound of the queue the connection is closed with SLOW.
        """
        direct = self._open_direct()
        if direct is not None:
            direct.write(frame.wire)
        elif self.is_closing:
            self.dropped += self.closed_with is CloseCode.SLOW
        elif not self._queue.put(frame):
            self.close(CloseCode.SLOW)
            self.dropped += 1
        elif self._writer is None:
            self._start_writer()

    def send_run(self, run: Run) -> None:
        """The same for several texts at once, which are one write where that is possible."""
        direct = self._open_direct()
        if direct is not None:
            direct.write(run.wire)
        else:
            for frame in run.frames:
                self.send_nowait(frame)

    def close(self, code: CloseCode, reason: str | None = None) -> None:
        """End the socket with `code`, after what is queued (SLOW: instead of it).

        It is aborted if that takes more than a second. `receive` answers None from now on; a handler that
        runs is not interrupted. The first call counts.
        """
        if self.is_closing:
            return
        self.closed_with = code
        self._direct = None
        self._reason = code.reason if reason is None else reason
        if code is CloseCode.SLOW:
            self.dropped = len(self._queue)
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
        return self._queue.is_congested

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

    # -- the ways out

    def _open_direct(self) -> Transport | None:
        """The transport, if a frame may go straight to it now. It is closing when the server has ended it:
        the peer said goodbye, or did not answer a ping.
        """
        direct = self._direct
        if direct is None or direct.get_write_buffer_size() >= MAX_BUFFERED_BYTES or direct.is_closing():
            return None
        return direct

    def _resume_direct(self) -> None:
        """Frames may go straight to the transport, where that is possible: nothing waits."""
        if self._may_be_direct and not self.is_closing:
            self._direct = self._transport

    def _start_writer(self) -> None:
        self._direct = None  # no frame may overtake those that wait
        self._writer = asyncio.get_running_loop().create_task(self._write(), name="socket writer")

    async def _write(self) -> None:
        """Write until the queue is empty, then the close if one is due."""
        try:
            while self._queue:
                frame = self._queue.take()
                await self._send({"type": "websocket.send", "text": frame.text})
                self._queue.written(frame)
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
            self._resume_direct()

    def _give_up(self) -> None:
        """The close could not be written in time, or writing failed: end the connection without a word."""
        if self._is_over:
            return
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def _peer_left(self, message: AsgiMessage) -> None:
        self.peer_code = message.get("code") or UNKNOWN_PEER_CODE
        self._end()

    def _end(self) -> None:
        """Nothing is written from here on; everyone who waits is told."""
        if self._is_over:
            return
        self._is_over = True
        self._direct = None
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
