"""People who talk: new ones in each test, who know nothing of those before. A file shares one application."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.services.chat.world import Person, chat_application, newcomer
from tests.support.application import RunningApplication
from tests.support.databases import fresh_database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(server_url: str) -> AsyncIterator[RunningApplication]:
    """An application with the chat module, on a database of its own."""
    async with fresh_database(server_url) as url, chat_application(url) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def ada(running: RunningApplication) -> Person:
    """Somebody."""
    return await newcomer(running, "ada")


@pytest_asyncio.fixture(loop_scope="module")
async def bob(running: RunningApplication) -> Person:
    """Somebody else, who knows ada."""
    return await newcomer(running, "bob")


@pytest_asyncio.fixture(loop_scope="module")
async def eve(running: RunningApplication) -> Person:
    """A stranger."""
    return await newcomer(running, "eve")
