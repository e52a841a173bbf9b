"""A way to PostgreSQL that can go dead: connections stay open, and nothing comes through any more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_PIECE: Final = 65536


class DeadEnd:
    """What goes through it is swallowed, both ways, on the connections that are open when `swallow` is
    called; later ones are well."""

    def __init__(self, url: str) -> None:
        self.url = ""
        self._target = url
        self._open: set[_Way] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """Those that lead to the server."""
        return sum(not way.is_dead for way in self._open)

    def swallow(self) -> int:
        """From now on. The number of connections that it hit."""
        alive = [way for way in self._open if not way.is_dead]
        for way in alive:
            way.is_dead = True
            if way.back is not None:
                way.back.close()  # to the server it is we who are gone
        return len(alive)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        way = _Way()
        self._open.add(way)
        writers = [writer]
        try:
            there, back = await _connect(self._target)
            writers.append(back)
            way.back = back
            await asyncio.gather(way.carry(reader, back), way.carry(there, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(way)
            self._tasks.discard(task)
            for one in writers:
                one.close()

    async def _stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))


class _Way:
    """One connection, through us."""

    def __init__(self) -> None:
        self.is_dead = False
        self.back: asyncio.StreamWriter | None = None

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From one end to the other, and its end too; of a dead one nobody hears."""
        while piece := await reader.read(_PIECE):
            if not self.is_dead:
                writer.write(piece)
                await writer.drain()
        if self.is_dead:
            await asyncio.Event().wait()
        with contextlib.suppress(OSError):
            writer.close()


@asynccontextmanager
async def dead_end(url: str) -> AsyncIterator[DeadEnd]:
    """A way to the server at `url`; its own `url` leads there over TCP."""
    way = DeadEnd(url)
    server = await asyncio.start_server(way._serve, "127.0.0.1", 0)
    parts = urlsplit(url)
    kept = {name: values[0] for name, values in parse_qs(parts.query).items() if name not in ("host", "port")}
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    port = server.sockets[0].getsockname()[1]
    way.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}", query=urlencode(kept)))
    try:
        yield way
    finally:
        server.close()
        await way._stop()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or "127.0.0.1"])[0]
    port = int(query.get("port", [str(parts.port or 5432)])[0])
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)
