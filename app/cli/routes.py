"""`starling routes`: what the modules' routers answer. Imports the modules and starts nothing."""

import argparse
import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from app.cli.output import print_json, print_table
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings


class RouteLine(NamedTuple):
    """One method of one path. `method` is WEBSOCKET for a socket and `*` where the endpoint sorts methods out
    itself.
    """

    method: str
    path: str
    module: str
    access: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the format."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """List them, by path and method."""
    env = Environment(Settings, Models, Apps)
    asyncio.run(env.setup_services())
    lines = sorted(route_lines(env), key=lambda line: (line.path, line.method))
    if arguments.json:
        print_json({"data": [line._asdict() for line in lines]})
    else:
        print_table(lines)
    return 0


def route_lines(env: Environment) -> Iterator[RouteLine]:
    """The routes of every module's routers. `env` has been set up."""
    for found in env.routers():
        access = "private" if found.is_private else "public"
        for method, path in _methods(found.router.routes, ""):
            yield RouteLine(method, path, found.module, access)


def _methods(routes: Iterable[BaseRoute], prefix: str) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            # A mount of something that is not made of routes (static files) is one line by itself.
            yield from (
                _methods(route.routes, prefix + route.path)
                if route.routes
                else [("*", f"{prefix}{route.path}/")]
            )
        elif isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", prefix + route.path
        elif isinstance(route, Route):
            methods = route.methods or {"*"}
            yield from (
                (method, prefix + route.path)
                for method in methods
                if method != "HEAD" or "GET" not in methods
            )
