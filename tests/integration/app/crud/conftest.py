"""One world for each file of tests, its tables filled anew before each test.

The tests run in the event loop of their file, because the world's connections live there: each file says
`pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.app.crud.world import World, company
from tests.support.databases import fresh_schema
from tests.support.eventually import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_world(run_database_url: str) -> AsyncIterator[World]:
    async with fresh_schema(run_database_url) as url, company(url) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(module_world: World) -> World:
    """The company with its four tasks."""
    await module_world.refill()
    pool = module_world.db.pool
    await eventually(lambda: pool.idle == pool.size)  # raw SQL ran: its connection is being reset
    return module_world
