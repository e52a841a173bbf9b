"""The socket of the client: opened, watched, and opened again."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from app.realtime.close_codes import CloseCode, Comeback
from services.chat.client.protocol import Conversation, Frame, Lost, Notice, Refused, Sent
from services.chat.websocket.budget import FrameBudget

TokenSource = Callable[[str | None], Awaitable[str]]
"""An access token or an API key, another one than the rejected one it is given. Raises SignedOut."""

OPEN_SECONDS: Final = 15.0  # for the handshake and for being signed in
PONG_SECONDS: Final = 10.0  # after a ping any frame will do
RETRY_SECONDS: Final = 1.0  # before what was refused for now is said again
JITTER_SECONDS: Final = 3.0
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 30.0
MAX_FRAME_BYTES: Final = 4 << 20
FRAMES_PER_SECOND: Final = 40  # the server takes 50 by default, and closes with 4429 beyond
LOST_CODE: Final = 1006  # a connection that ended without a close; clients treat it like SLOW


_COMEBACKS: Final = {int(one): one.comeback for one in CloseCode} | {LOST_CODE: Comeback.AT_ONCE}


class SignedOut(Exception):
    """There is no token any more: the client stops. Raised by the source of tokens and by `async for`."""


class ChatClient:
    """See the package. `async for` gives notices until the client is left; to be used in one event loop."""

    def __init__(
        self, url: str, token: TokenSource, *, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    ) -> None:
        self._url = url
        self._token = token
        self._longest_wait = longest_wait_seconds
        self._conversation = Conversation()
        self._socket: ClientConnection | None = None
        self._outgoing: asyncio.Queue[Frame] | None = None
        self._waiting: dict[str, asyncio.Future[Sent]] = {}
        self._notices: asyncio.Queue[Notice | None] = asyncio.Queue()
        self._retry: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def __aenter__(self) -> "ChatClient":
        """The client, which connects from now on."""
        self._task = asyncio.create_task(self._run(), name="chat client")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave. Messages that were not acknowledged may be there or not."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for future in self._waiting.values():
            future.cancel()

    async def __aiter__(self) -> AsyncIterator[Notice]:
        """Notices in the order in which things happened. Raises SignedOut, and what the source of tokens
        raises.
        """
        while (notice := await self._notices.get()) is not None:
            yield notice
        if self._failure is not None:
            raise self._failure

    def send(
        self, chat_id: int, body: str, *, reply_to_id: int | None = None, nonce: str | None = None
    ) -> "asyncio.Future[Sent]":
        """Post a message, now or as soon as there is a connection; awaited, it is where it is stored.

        The future raises ChatRefused.
        """
        frame = self._conversation.send(chat_id, body, reply_to_id, nonce)
        future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting[frame["nonce"]] = future
        self.say(frame)
        return future

    def say(self, frame: Frame) -> None:
        """Say anything else (`typing`, `read`, ...) if there is a connection; it is not remembered."""
        if self._outgoing is not None:
            self._outgoing.put_nowait(frame)

    def drop(self) -> None:
        """Lose the connection, as a network does: for tests."""
        if self._socket is not None:
            self._socket.transport.abort()

    # -- the life of the connection

    async def _run(self) -> None:
        attempt = 0
        rejected: str | None = None
        try:
            while True:
                token = await self._token(rejected)
                code, was_live = await self._serve(token)
                comeback = _comeback(code)
                self._tell(Lost(code))
                if comeback is Comeback.NO:
                    raise SignedOut(f"the server closed with {code}: do not come back")
                rejected = token if comeback is Comeback.AFTER_SIGN_IN else None
                attempt = 0 if was_live else attempt + 1
                await asyncio.sleep(self._delay(comeback, attempt))
        except Exception as error:  # noqa: BLE001  # raised where the notices are read
            self._failure = error
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # whoever does not await it need not be told twice
        finally:
            self._notices.put_nowait(None)

    async def _serve(self, token: str) -> tuple[int, bool]:
        """Be connected until the connection is lost: the code, and whether it was of any use."""
        writer: asyncio.Task[None] | None = None
        try:
            async with (
                asyncio.timeout(OPEN_SECONDS) as opening,
                connect(self._url, max_size=MAX_FRAME_BYTES, ping_interval=None, compression=None) as socket,
            ):
                self._socket = socket
                await socket.send(_encoded({"type": "auth", "token": token}))
                first = await self._hear(socket)
                opening.reschedule(None)
                outgoing: asyncio.Queue[Frame] = asyncio.Queue()
                writer = asyncio.create_task(self._write(socket, outgoing), name="chat client writer")
                for frame in first:
                    outgoing.put_nowait(frame)
                self._outgoing = outgoing
                while True:
                    for frame in await self._hear(socket):
                        outgoing.put_nowait(frame)
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd is not None else LOST_CODE), self._lose()
        except (OSError, InvalidHandshake, InvalidURI):  # a TimeoutError is an OSError
            return LOST_CODE, self._lose()
        finally:
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})

    async def _hear(self, socket: ClientConnection) -> list[Frame]:
        """Take one frame of the server: what to say to it."""
        frame = msgspec.json.decode(await self._next(socket))
        answers = self._conversation.hear(frame)
        notices, self._conversation.notices = self._conversation.notices, []
        for notice in notices:
            self._tell(notice)
        if frame["type"] == "error" and frame.get("ref") in self._conversation.unsent and self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._say_again)
        return answers

    async def _next(self, socket: ClientConnection) -> str | bytes:
        """The next text; a ping goes out when there is none for long. Raises TimeoutError on a dead
        connection.
        """
        if self._outgoing is None:
            return await socket.recv()
        try:
            async with asyncio.timeout(self._conversation.heartbeat_seconds):
                return await socket.recv()
        except TimeoutError:
            self.say({"type": "ping"})
        async with asyncio.timeout(PONG_SECONDS):
            return await socket.recv()

    async def _write(self, socket: ClientConnection, outgoing: "asyncio.Queue[Frame]") -> None:
        """Say what is put into the queue, in order, and not faster than the server takes it."""
        clock = asyncio.get_running_loop().time
        budget = FrameBudget(FRAMES_PER_SECOND, now=clock())
        with contextlib.suppress(ConnectionClosed):  # the reader sees it, too; messages are said again
            while True:
                frame = await outgoing.get()
                while not budget.take(clock()):  # noqa: ASYNC110  # it fills up by time
                    await asyncio.sleep(1 / FRAMES_PER_SECOND)
                await socket.send(_encoded(frame))

    def _say_again(self) -> None:
        self._retry = None
        for frame in self._conversation.again():
            self.say(frame)

    def _lose(self) -> bool:
        was_live = self._conversation.is_live
        self._socket = self._outgoing = None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._conversation.lose()
        return was_live

    def _delay(self, comeback: Comeback, attempt: int) -> float:
        if attempt == 0 and comeback is not Comeback.WITH_BACKOFF:
            return random.random() * JITTER_SECONDS if comeback is Comeback.WITH_JITTER else 0.0  # noqa: S311
        longest: float = min(self._longest_wait, FIRST_WAIT_SECONDS * 2.0**attempt)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret

    def _tell(self, notice: Notice) -> None:
        if isinstance(notice, Sent):
            future = self._waiting.pop(notice.nonce, None)
            if future is not None and not future.done():
                future.set_result(notice)
        elif isinstance(notice, Refused) and isinstance(notice.ref, str):
            future = self._waiting.pop(notice.ref, None)
            if future is not None and not future.done():
                future.set_exception(ChatRefused(notice))
        self._notices.put_nowait(notice)


class ChatRefused(Exception):
    """The server refused a message; `notice.problem` says why."""

    def __init__(self, notice: Refused) -> None:
        super().__init__(str(notice.problem.get("detail") or notice.problem.get("title")))
        self.notice = notice


def _encoded(frame: Frame) -> str:
    return msgspec.json.encode(frame).decode()


def _comeback(code: int) -> Comeback:
    return _COMEBACKS.get(code, Comeback.WITH_BACKOFF)
