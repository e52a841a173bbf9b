"""One pair of workers for each file of tests; each test begins without notes and kept answers."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.services.dotorm_crud_auto.world import Note, Workers, two_workers
from tests.support.databases import fresh_database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_workers(server_url: str) -> AsyncIterator[Workers]:
    async with fresh_database(server_url) as url, two_workers(url) as workers:
        yield workers


@pytest_asyncio.fixture(loop_scope="module")
async def workers(module_workers: Workers) -> AsyncIterator[Workers]:
    """Two workers on empty tables."""
    db = module_workers.running[0].env.db
    await db.execute("TRUNCATE notes, idempotency_keys RESTART IDENTITY")
    yield module_workers
    Note.gate = None
