"""The parent process of `starling serve`: starts database and workers, keeps them up, stops them in order.

It is synchronous, has one thread and sleeps until something happens. The application's code is loaded here,
once, and the workers are forked from it: they start in milliseconds, share the memory of all code, and a
wrong declaration shows once instead of once a worker. That is sound because nothing that is loaded starts a
thread or opens a connection: each worker makes its own loop, pool and application after the fork. `gc.freeze`
keeps the collector from touching, and so copying, the shared pages.
"""

import asyncio
import contextlib
import gc
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Never

import msgspec
from starlette.applications import Starlette

from app.core.environment import Environment
from app.main import create_app
from app.project_setup import Apps, Models, Settings
from app.server.database import DatabaseKeeper
from app.server.embedded import EmbeddedPostgres
from app.server.listeners import Listeners
from app.server.parent_log import LOGGER, parent_log
from app.server.service_manager import take_sockets, tell
from app.server.signals import Signals, StopRequested
from app.server.worker import MakeApp, load_server
from app.server.workers import Workers

CONNECTIONS_BESIDE_POOL = 4
"""Beside its pool a worker holds a connection that listens, one that notifies and one that reads revocations,
and for moments one that asks whether the database answers."""

# For commands that run beside the server, and the three that PostgreSQL keeps for its superuser.
_CONNECTIONS_FOR_OTHERS = 12


def make_application(settings: Settings) -> Starlette:
    """This project's application."""
    return create_app(Environment(settings, Models, Apps))


def load_application(settings: Settings) -> None:
    """Import and check what an application is made of; opens nothing. Raises StartError, DeclarationError."""
    load_server(settings)
    env = Environment(settings, Models, Apps)
    asyncio.run(env.setup_services())
    for _ in env.routers():
        pass


def serve(
    settings: Settings,
    *,
    make_app: MakeApp = make_application,
    load: Callable[[Settings], None] = load_application,
) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP, then 0.

    The first of them lets requests finish for HTTP__STOP_SECONDS, a second one does not wait. Raises
    StartError, with nothing left running, when the start fails or when a process cannot be kept alive.
    """
    with Signals() as signals, parent_log(settings.logger.format), contextlib.ExitStack() as opened:
        try:
            load(settings)
            keeper, listeners, settings = _open(settings, signals, opened)
            workers = Workers(
                settings,
                make_app,
                listeners=listeners,
                signals=signals,
                forget=keeper.forget_in_child if keeper else _nothing,
            )
            opened.callback(workers.stop)
            gc.freeze()
            workers.start()
            _supervise(workers, keeper, listeners, signals)
        except StopRequested:
            LOGGER.info("stopping")
            tell(os.environ, "STOPPING=1")
    return 0


def _open(
    settings: Settings, signals: Signals, opened: contextlib.ExitStack
) -> tuple[DatabaseKeeper | None, Listeners, Settings]:
    """What the workers need: database, sockets, and the settings that say where the database is.

    Everything is checked before a database is made: a port in use should not leave one behind.
    """
    embedded = None
    if settings.database.url is None:
        connections = settings.http.workers * (settings.database.pool_max + CONNECTIONS_BESIDE_POOL)
        embedded = EmbeddedPostgres(
            settings.data_dir, max_connections=connections + _CONNECTIONS_FOR_OTHERS, pause=signals.pause
        )
        opened.callback(embedded.close)
        embedded.claim()
    handed_down = take_sockets(os.environ)
    if handed_down:
        listeners = Listeners.handed_down(handed_down, settings.http.workers)
    else:
        listeners = Listeners(settings.http.host, settings.http.port, settings.http.workers)
    opened.callback(listeners.close)
    if embedded is None:
        return None, listeners, settings
    embedded.open()
    embedded.wait_until_ready()
    database = msgspec.structs.replace(settings.database, url=embedded.url())
    return DatabaseKeeper(embedded), listeners, msgspec.structs.replace(settings, database=database)


def _supervise(
    workers: Workers, keeper: DatabaseKeeper | None, listeners: Listeners, signals: Signals
) -> Never:
    """Look after all processes until StopRequested, or StartError when one of them cannot be kept alive."""
    is_announced = False
    while True:
        next_look = min(workers.next_look, keeper.next_look if keeper else math.inf)
        seconds = None if next_look == math.inf else next_look - time.monotonic()
        for descriptor in signals.wait(seconds, workers.reports()):
            workers.hear(descriptor)
        if signals.stop_requests:
            raise StopRequested
        workers.tend()
        if keeper is not None:
            keeper.tend()
        if workers.were_up and not is_announced:
            is_announced = True
            sys.stdout.write(_announcement(listeners))
            sys.stdout.flush()
            tell(os.environ, "READY=1")


def _announcement(listeners: Listeners) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(listeners.host, listeners.host)  # noqa: S104
    base = f"http://[{host}]:{listeners.port}" if ":" in host else f"http://{host}:{listeners.port}"
    return (
        f"Starling is ready on {base}\n"
        f"  chat    {base}/chat\n"
        f"  API     {base}/docs\n"
        f"  health  {base}/health/ready\n"
    )


def _nothing() -> None:
    return None
