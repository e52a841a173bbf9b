"""What of the Redis protocol (RESP2) a broker needs: commands out, answers and pushes in.

Four commands on two connections do not need a client of three megabytes whose import takes as long as
starting the rest of a process (60 ms, 7 MB); every server that speaks the protocol knows them.
"""

import asyncio
import ssl
from typing import Final
from urllib.parse import unquote, urlsplit

DEFAULT_PORT: Final = 6379
LONGEST_LINE: Final = 1 << 16
LONGEST_BULK: Final = 64 << 20  # far more than we ever send: anything beyond it is not our protocol

Answer = str | int | bytes | list["Answer"] | None


class RespError(Exception):
    """The server refused a command, or speaks another protocol; the text says which."""


class RespConnection:
    """A connection on which commands are answered in turn. Not to be used by two tasks at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> "RespConnection":
        """A connection to `redis://user:password@host:port`, or `rediss://...` for TLS, signed in.

        A database in the path is not looked at: channels belong to the whole server. Raises OSError,
        RespError.
        """
        parts = urlsplit(url)
        context = ssl.create_default_context() if parts.scheme == "rediss" else None
        host, port = parts.hostname or "localhost", parts.port or DEFAULT_PORT
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=LONGEST_LINE)
        connection = cls(reader, writer)
        try:
            if parts.password is not None:
                user = [unquote(parts.username)] if parts.username else []
                await connection.ask("AUTH", *user, unquote(parts.password))
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def say(self, *command: str | bytes) -> None:
        """Send a command whose answer somebody else reads. Raises OSError."""
        self._writer.write(encoded(command))
        await self._writer.drain()

    async def ask(self, *command: str | bytes) -> Answer:
        """The answer to one command. Raises OSError, RespError."""
        return (await self.ask_all([command]))[0]

    async def ask_all(self, commands: list[tuple[str | bytes, ...]]) -> list[Answer]:
        """The answers to some commands that are sent together. Raises OSError, RespError."""
        self._writer.write(b"".join(encoded(command) for command in commands))
        await self._writer.drain()
        return [await self.read() for _ in commands]

    async def read(self) -> Answer:
        """The next answer, or what is pushed. Raises OSError, RespError."""
        line = await self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RespError(rest.decode(errors="replace"))
        if kind == b":":
            return _number(rest)
        if kind == b"$":
            return await self._bulk(_number(rest))
        if kind == b"*":
            return [await self.read() for _ in range(_number(rest))]
        raise RespError(f"this is no Redis: it says {line[:40]!r}")

    @property
    def is_closed(self) -> bool:
        """Nothing can be sent any more."""
        return self._writer.is_closing()

    def terminate(self) -> None:
        """End it without a word. May be called twice."""
        self._writer.transport.abort()

    async def _line(self) -> bytes:
        try:
            return (await self._reader.readuntil(b"\r\n"))[:-2]
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the server closed it") from error
        except asyncio.LimitOverrunError as error:
            raise RespError("this is no Redis: it sends a line without an end") from error

    async def _bulk(self, length: int) -> bytes | None:
        if length < 0:
            return None
        if length > LONGEST_BULK:
            raise RespError(f"{length} bytes in one piece are more than anybody of us sends")
        try:
            return (await self._reader.readexactly(length + 2))[:-2]
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the server closed it") from error


def encoded(command: tuple[str | bytes, ...]) -> bytes:
    """A command as it is sent."""
    parts = [part.encode() if isinstance(part, str) else part for part in command]
    return b"*%d\r\n%s" % (len(parts), b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise RespError(f"this is no Redis: {text[:40]!r} is no number") from error
