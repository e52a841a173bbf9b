"""A server like `starling serve` whose application misbehaves as STUB says. Run by tests, with `python -m`.

It has no database: DATABASE__URL is to be set to anything. Routes: /health/live, /health/ready, /pid, and
/wait, which answers once the file `answer` exists in the current folder.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.core.errors import StartError
from app.project_setup import Settings
from app.server.supervisor import serve
from app.server.worker import load_server
from orm.errors import DatabaseUnavailable


def is_there(name: str) -> bool:
    """Whether the test, or another worker, has made a file of that name in the current folder."""
    return Path(name).exists()


def leave(name: str) -> None:
    """Make a file of that name in the current folder, for the test to see."""
    Path(name).touch()


async def exists(name: str) -> None:
    """Return once there is a file of that name."""
    while not is_there(name):  # noqa: ASYNC110  # it is another process that makes it
        await asyncio.sleep(0.01)


async def live(request: Request) -> PlainTextResponse:
    """Always well."""
    return PlainTextResponse("live")


async def ready(request: Request) -> PlainTextResponse:
    """Well after the start."""
    return PlainTextResponse("", status_code=200 if request.app.state.is_ready else 503)


async def pid(request: Request) -> PlainTextResponse:
    """Which worker answers."""
    return PlainTextResponse(str(os.getpid()))


async def wait(request: Request) -> PlainTextResponse:
    """An answer that comes late."""
    leave("asked")
    await exists("answer")
    return PlainTextResponse("late")


async def misbehave(how: str) -> None:
    """What STUB asks for at the start of a worker."""
    match how:
        case "slow start":
            await exists("go")
        case "refuse":
            raise StartError("the moon is full: wait for another one")
        case "break":
            raise RuntimeError("something broke")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "refuse later" if is_there("refuse"):
            raise StartError("the moon is full: wait for another one")
        case "refuse later" if is_there("away"):
            leave("missed")
            raise StartError("the database is away") from DatabaseUnavailable("nobody answers")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Start as STUB says, and leave a file `closed` at the end."""
    how = os.environ.get("STUB", "")
    app.state.is_ready = False
    await misbehave(how)
    app.state.is_ready = True
    yield
    if how == "hang":
        await exists("never")
    leave("closed")


def make_app(settings: Settings) -> Starlette:
    """The application of one worker."""
    handlers = {"/health/live": live, "/health/ready": ready, "/pid": pid, "/wait": wait}
    return Starlette(routes=[Route(path, handler) for path, handler in handlers.items()], lifespan=lifespan)


def main() -> int:
    """As the command line does it."""
    try:
        return serve(Settings.load(), make_app=make_app, load=load_server)
    except StartError as error:
        sys.stderr.write(f"starling: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
