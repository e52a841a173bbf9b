"""Starling with as many models more as BENCH_MODELS says, made by a program: `python -m` serves it."""

import asyncio
import os
import sys
from typing import Any, Final

from starlette.applications import Starlette

from app import project_setup
from app.core.environment import Environment
from app.main import create_app
from app.project_setup import Apps, Settings
from app.server.supervisor import serve
from app.server.worker import load_server
from orm import Boolean, Char, DotModel, Integer, Many2one

VARIABLE: Final = "BENCH_MODELS"


def model(number: int) -> type[DotModel]:
    """The model `Thing<number>` on the table `things_<number>`; each points at the one before it."""
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"A row of `things_{number}`.",
        "__table__": f"things_{number}",
        "name": Char(max_length=100, required=True),
        "stock": Integer(default=0, required=True),
        "active": Boolean(default=True, required=True),
    }
    if number:
        attributes["other_id"] = Many2one(f"things_{number - 1}")
    return type(f"Thing{number}", (DotModel,), attributes)


def models(count: int) -> type[project_setup.Models]:
    """The project's own models, and `count` more."""
    things = {f"thing_{number}": model(number) for number in range(count)}
    return type("Models", (project_setup.Models,), things)


def environment(settings: Settings) -> Environment:
    """The environment of the project, not started."""
    return Environment(settings, _MODELS, Apps)


def make_app(settings: Settings) -> Starlette:
    """The application of the worker."""
    return create_app(environment(settings))


def load(settings: Settings) -> None:
    """What `starling serve` does in the parent."""
    load_server(settings)
    env = environment(settings)
    asyncio.run(env.setup_services())
    for _ in env.routers():
        pass


_MODELS: Final = models(int(os.environ.get(VARIABLE, "10")))

if __name__ == "__main__":
    sys.exit(serve(Settings.load(env_file=None), make_app=make_app, load=load))
