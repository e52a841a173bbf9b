from collections.abc import AsyncIterator

import pytest

from app.realtime.hub import Hub
from app.realtime.testing import MemoryEventLog


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog()


@pytest.fixture
async def hub(log: MemoryEventLog) -> AsyncIterator[Hub]:
    """A hub that sweeps only when there is a reason to."""
    hub = Hub(log, sweep_seconds=3600, patience_seconds=0.001)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def sweeping_hub(log: MemoryEventLog) -> AsyncIterator[Hub]:
    """A hub that compares with the log all the time."""
    hub = Hub(log, sweep_seconds=0.01, patience_seconds=0.001)
    await hub.start()
    yield hub
    await hub.stop()
