"""A database, and a connection to it that is the driver's own."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from orm import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """Open."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Any]:
    """Beside the pool."""
    made = await asyncpg.connect(database_url)
    yield made
    await made.close()
