"""The lifespan of an application that no server runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """The lifespan in a task of its own, as in a server: what it binds to its context is not the test's."""
    is_up, is_over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            is_up.set()
            await is_over.wait()

    living = asyncio.create_task(live(), name="lifespan")
    starting = asyncio.create_task(is_up.wait())
    try:
        await asyncio.wait((living, starting), return_when=asyncio.FIRST_COMPLETED)
        if not is_up.is_set():
            await living  # it failed: raise what it raised
        yield
    finally:
        starting.cancel()
        is_over.set()
        await living
