"""A real PostgreSQL for every test in here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.databases import fresh_database, fresh_schema


@pytest.fixture(scope="session")
def run_database_url(server_url: str) -> Iterator[str]:
    """The URL of the database of this run."""
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        url = runner.run(stack.enter_async_context(fresh_database(server_url)))
        try:
            yield url
        finally:
            runner.run(stack.aclose())


@pytest.fixture
async def database_url(run_database_url: str) -> AsyncIterator[str]:
    """The URL of an empty schema of the test's own."""
    async with fresh_schema(run_database_url) as url:
        yield url
