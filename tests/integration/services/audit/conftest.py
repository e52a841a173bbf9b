from collections.abc import AsyncIterator

import pytest

from app.core.environment import Environment
from tests.integration.services.audit.world import club


@pytest.fixture
async def env(database_url: str) -> AsyncIterator[Environment]:
    async with club(database_url) as env:
        yield env
