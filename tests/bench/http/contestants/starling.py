"""Starling: `starling serve` with one module more."""

import asyncio
import sys
from collections.abc import Sequence
from typing import ClassVar

from starlette.applications import Starlette

from app import project_setup
from app.core.environment import Environment
from app.main import create_app
from app.project_setup import Settings
from app.server.supervisor import serve
from app.server.worker import load_server
from tests.bench.http.shop.models import Category, Product


class Models(project_setup.Models):
    """The project's own, and the two of the shop."""

    category = Category
    product = Product


class Apps(project_setup.Apps):
    """The project's own, and the shop."""

    installed: ClassVar[Sequence[str]] = (*project_setup.Apps.installed, "tests.bench.http.shop")


def make_app(settings: Settings) -> Starlette:
    """The application of the worker."""
    return create_app(Environment(settings, Models, Apps))


def load(settings: Settings) -> None:
    """What the worker is made of is imported in its parent, as `starling serve` does it."""
    load_server(settings)
    env = Environment(settings, Models, Apps)
    asyncio.run(env.setup_services())
    for _ in env.routers():
        pass


if __name__ == "__main__":
    sys.exit(serve(Settings.load(env_file=None), make_app=make_app, load=load))
