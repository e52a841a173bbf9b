"""One worker process: the application behind uvicorn's server, on sockets that the parent bound.

At the first start the server accepts first and the application starts beside it, so that /health/live answers
during a long migration; a worker that replaces another, or was handed its sockets, accepts when it is ready.
At the end it is the other way round: nothing is accepted any more, what is under way is drained,
then the application shuts down.
"""

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.environment import Environment
from app.core.errors import StartError, described
from app.project_setup import Settings
from app.server.board import Board
from app.server.memory import return_large_blocks, spare_the_collector
from app.server.numbers import publish_numbers
from app.server.protocols import Guard, GuardedConfig, HttpConnection, SocketProtocol
from app.server.uvicorn_server import Server
from orm.errors import DatabaseUnavailable, DeclarationError

MakeApp = Callable[[Settings], Starlette]
"""Makes the application of one worker. Called in the worker, once; it may raise StartError."""

SHUTDOWN_SECONDS = 20
"""For the application's end once requests are drained; by default a service is cut off after 15."""

_LARGEST_FRAME_BYTES = 1024 * 1024  # the contract of /ws/chat; 1009 beyond
# Longer than the minute after which proxies and load balancers give up an idle connection: the one who closes
# first should be the one who would send the next request, else that request is lost.
_KEEP_ALIVE_SECONDS = 75
_logger = logging.getLogger(__name__)


class Report(msgspec.Struct, frozen=True):
    """What a worker tells its parent, once: it is ready (None), or why it could not start. `may_pass`:
    because the database is away, which nobody has to mend here."""

    failure: str | None = None
    may_pass: bool = False


class Lines(msgspec.Struct, frozen=True):
    """A worker's pipes: `report` takes one Report as JSON, `parent` comes to its end when the parent dies."""

    report: int
    parent: int

    def send(self, report: Report) -> None:
        """Tell the parent, and hang up. A parent that is gone is not told."""
        with contextlib.suppress(BrokenPipeError), os.fdopen(self.report, "wb") as pipe:
            pipe.write(msgspec.json.encode(report))


def load_server(settings: Settings) -> None:
    """Import, once in the parent, what uvicorn chooses by what is installed: uvloop, httptools."""
    config = _configuration(settings, _no_app)
    config.load()
    config.get_loop_factory()


class Place(NamedTuple):
    """What the parent gives a worker: its number, counted from 0, its listening sockets, its pipes, and the
    board on which all workers leave their numbers. `accepts_early`: also while the application still
    starts."""

    number: int
    sockets: Sequence[socket.socket]
    lines: Lines
    board: Board
    accepts_early: bool


def run_worker(settings: Settings, make_app: MakeApp, place: Place) -> int:
    """Serve until SIGTERM or the death of the parent; the exit status.

    A failure to start goes to the parent as one sentence; with LOGGER__LEVEL=debug its stack is printed here.
    """
    return_large_blocks()
    try:
        with asyncio.Runner(loop_factory=_configuration(settings, _no_app).get_loop_factory()) as runner:
            runner.run(_serve(settings, make_app, place))
    except _StartFailed as failed:
        if settings.logger.level == "debug":
            traceback.print_exception(failed.cause)
        place.lines.send(Report(failure=_sentence(failed.cause), may_pass=_may_pass(failed.cause)))
        return 1
    return 0


class _StartFailed(Exception):
    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


async def _serve(settings: Settings, make_app: MakeApp, place: Place) -> None:
    lines = place.lines
    try:
        app = make_app(settings)
    except Exception as error:
        raise _StartFailed(error) from error
    guard = Guard(settings.http, worker=_name_of(app))
    server = Server(_configuration(settings, app, guard))
    publish_numbers(app, guard, server, place.board, place.number)
    stop_seconds = settings.http.stop_seconds
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, server.stop)
    loop.add_reader(lines.parent, _orphaned, loop, server, lines, stop_seconds)

    is_up, is_over = asyncio.Event(), asyncio.Event()
    living = asyncio.create_task(_live(app, lines, is_up, is_over))
    living.add_done_callback(lambda _: server.abandon())  # it lives until is_over, unless it could not start
    try:
        if not place.accepts_early:
            await _first_of(is_up.wait(), asyncio.shield(living), server.wait_for_stop())
        await server.serve(list(place.sockets))
    finally:
        is_over.set()
        if not is_up.is_set():
            living.cancel()
        await asyncio.wait([living])
    if not living.cancelled():
        living.result()


async def _first_of(*events: Awaitable[object]) -> None:
    """Return when one of them has come to its end, however."""
    waiting = [asyncio.ensure_future(event) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)


async def _live(app: Starlette, lines: Lines, is_up: asyncio.Event, is_over: asyncio.Event) -> None:
    """The application's lifespan, entered and left in one task, as what it binds to its context needs."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(app.router.lifespan_context(app))
        except Exception as error:
            raise _StartFailed(error) from error
        spare_the_collector()
        is_up.set()
        lines.send(Report())
        await is_over.wait()


def _orphaned(loop: asyncio.AbstractEventLoop, server: Server, lines: Lines, stop_seconds: float) -> None:
    loop.remove_reader(lines.parent)
    _logger.error("the parent process is gone: stopping")
    # Nobody is left who would put an end to a stop that hangs: SIGALRM kills where nothing handles it.
    signal.alarm(math.ceil(stop_seconds) + SHUTDOWN_SECONDS)
    server.stop()


def _name_of(app: Starlette) -> str:
    """The name of this process in its answers; none where the application has no environment."""
    env: Environment | None = getattr(app.state, "env", None)
    return env.worker if env is not None else ""


def _configuration(settings: Settings, app: ASGIApp, guard: Guard | None = None) -> GuardedConfig:
    return GuardedConfig(
        app,
        guard=guard or Guard(settings.http),
        http=HttpConnection,
        lifespan="off",  # see _live
        log_config=None,
        log_level="warning",
        access_log=False,  # the edge writes a line with more in it
        server_header=False,
        proxy_headers=False,  # the edge believes HTTP__TRUSTED_PROXIES only
        ws=SocketProtocol,
        ws_max_size=_LARGEST_FRAME_BYTES,
        ws_per_message_deflate=False,  # twice the CPU, 2.5 times the memory, and a frame could not be shared
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.http.stop_seconds),
    )


async def _no_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands in where uvicorn wants an application to tell what loop is installed."""


def _may_pass(error: Exception) -> bool:
    return isinstance(error, DatabaseUnavailable) or isinstance(error.__cause__, DatabaseUnavailable)


def _sentence(error: Exception) -> str:
    if isinstance(error, StartError | DeclarationError):
        return str(error)
    return f"could not start: {described(error)}"
