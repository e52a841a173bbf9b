"""A real pgbouncer in transaction mode, for as long as a block lasts.

It refuses to run as root, and the embedded server's socket is closed to everybody else. So it runs as another
user then, and reaches the server through a relay in the process of the test."""

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from tests.support.eventually import eventually
from tests.support.program import open_folder

QUEUE_SECONDS = 5
"""How long a client waits for a server connection before it is refused."""

_PORT = 6432
_RELAYED_PORT = 5432
_STOP_SECONDS = 10.0


def binary() -> str | None:
    """The program, or None where it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@asynccontextmanager
async def pgbouncer(database_url: str, *, server_connections: int) -> AsyncIterator[str]:
    """The URL of `database_url` behind a pooler that has `server_connections` for all its clients.

    Its settings are the defaults: no start-up parameter that it does not know is let pass."""
    server = urlsplit(database_url)
    with open_folder() as folder:
        owner = _give_away(folder)
        config = folder / "pgbouncer.ini"
        config.write_text(_config(folder, server, server_connections))
        config.chmod(0o644)
        async with _relay(server, folder / f".s.PGSQL.{_RELAYED_PORT}", owner):
            with _running(config, owner) as is_up:
                await eventually(is_up)
                query = urlencode({"host": str(folder), "port": _PORT})
                yield server._replace(netloc=f"{server.username or ''}@", query=query).geturl()


def _config(folder: Path, server: SplitResult, server_connections: int) -> str:
    name = server.path.removeprefix("/")
    target = {
        "host": str(folder),
        "port": str(_RELAYED_PORT),
        "user": unquote(server.username or ""),
        "password": unquote(server.password or ""),
    }
    return f"""
[databases]
{name} = {" ".join(f"{key}='{value}'" for key, value in target.items() if value)}

[pgbouncer]
unix_socket_dir = {folder}
listen_port = {_PORT}
auth_type = any
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 200
query_wait_timeout = {QUEUE_SECONDS}
"""


def _give_away(folder: Path) -> int:
    """Make `folder` the property of whoever pgbouncer runs as, closed to others."""
    owner = os.geteuid() or pwd.getpwnam("nobody").pw_uid
    os.chown(folder, owner, -1)
    folder.chmod(0o700)
    return owner


@contextlib.contextmanager
def _running(config: Path, owner: int) -> Iterator[Callable[[], bool]]:
    program = binary()
    assert program is not None, "ask before"
    with config.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(config)], stdout=log, stderr=log, user=owner if os.geteuid() == 0 else None
        )

    def is_up() -> bool:
        assert process.poll() is None, config.with_suffix(".log").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(config.with_name(f".s.PGSQL.{_PORT}"))) == 0

    try:
        yield is_up
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def _relay(server: SplitResult, path: Path, owner: int) -> AsyncIterator[None]:
    """A socket at `path` that leads to `server`."""
    query = {key: values[0] for key, values in parse_qs(server.query).items()}
    host = query.get("host") or server.hostname or "localhost"
    port = int(query.get("port") or server.port or 5432)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, port)
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    tasks: set[asyncio.Task[None]] = set()

    def own(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)

    relay = await asyncio.start_unix_server(own, path)
    os.chown(path, owner, -1)
    async with relay:
        yield
        if tasks:  # pgbouncer is gone: each sees the end of its stream
            await asyncio.wait(tasks)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # one side went away; closing the other one says so
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
