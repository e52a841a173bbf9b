"""A real PostgreSQL for every test in here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.databases import fresh_database, fresh_schema


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords are hashed in half a millisecond: thousands of sign-ins here are about something else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.users.passwords.MEMORY_KIB", 64)
        patch.setattr("services.users.passwords.PASSES", 1)
        yield


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
