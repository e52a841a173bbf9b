"""`starling openapi`: the document that /openapi.json answers. Imports the modules and starts nothing."""

import argparse
import asyncio

import msgspec

from app import __version__
from app.core.environment import Environment
from app.main import create_app
from app.openapi import openapi_document, project_of
from app.project_setup import Apps, Models, Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """There is nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    """Print it, indented so that people can read it and compare it line by line."""
    print(msgspec.json.format(document(Environment(Settings, Models, Apps)), indent=2).decode())
    return 0


def document(env: Environment) -> bytes:
    """The document of an environment that was not set up yet, as /openapi.json answers it."""
    asyncio.run(env.setup_services())
    state = create_app(env).state
    for router in env.routers():
        state.mount_router(router)
    return openapi_document(project_of(env, state.dispatcher.targets, version=__version__))
