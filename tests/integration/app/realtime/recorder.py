"""A listener that remembers, and a way to a server that can be cut."""

import asyncio
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from app.realtime.events import Message
from tests.support.eventually import eventually


class Recorder:
    """What a broker told: `messages` in order, and how often that something may have been missed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.gaps = 0

    def receive(self, message: Message) -> None:
        self.messages.append(message)

    def gap(self) -> None:
        self.gaps += 1

    async def got(self, count: int) -> None:
        """Return when at least so many messages have come."""
        await eventually(lambda: len(self.messages) >= count)

    @property
    def seqs(self) -> list[int | None]:
        return [message.seq for message in self.messages]


class Wire:
    """A TCP proxy in front of a server.

    `freeze` leaves connections open and lets nothing through, which is how a lost peer looks.
    """

    def __init__(self, url: str, *, default_port: int = 5432) -> None:
        self._url = url
        self._default_port = default_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    @property
    def port(self) -> int:
        """Where the proxy listens, on 127.0.0.1."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def connect(self) -> asyncpg.Connection:
        """A connection to the PostgreSQL of the URL, through the proxy."""
        return await asyncpg.connect(self._url, host="127.0.0.1", port=self.port)

    def cut(self) -> None:
        """End all connections that there are."""
        for task in self._tasks:
            task.cancel()

    def freeze(self) -> None:
        """From now on nothing gets through, in either direction."""
        self._flows.clear()

    def thaw(self, *, cut: bool = False) -> None:
        """Connections that are made from now on work. With `cut` those that do not are ended, too."""
        self._flows = asyncio.Event()
        self._flows.set()
        if cut:
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        flows = self._flows
        try:
            there_reader, there_writer = await self._open_target()
        except OSError:
            writer.transport.abort()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(flows, reader, there_writer))
                both.create_task(self._pass_on(flows, there_reader, writer))
        except* OSError:
            pass  # one side is gone, which is what the other side has to hear
        except* asyncio.CancelledError:
            pass  # it was cut
        finally:
            for one in (writer, there_writer):
                one.close()

    async def _open_target(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._url)
        options = dict(parse_qsl(parts.query))
        folder, port = options.get("host", ""), options.get("port") or parts.port or self._default_port
        if folder.startswith("/"):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, int(port))

    async def _pass_on(
        self, flows: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65_536):
            await flows.wait()
            writer.write(data)
            await writer.drain()
        writer.close()
