from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from app.realtime.broker import Broker, MemoryBroker, PostgresBroker
from tests.integration.app.realtime.recorder import Recorder

Start = Callable[[Broker], Awaitable[Recorder]]
Connect = Callable[[], Awaitable[asyncpg.Connection]]


@pytest.fixture
def connect(database_url: str) -> Connect:
    return lambda: asyncpg.connect(database_url, server_settings={"application_name": "broker"})


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a broker with a recorder; it is stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start_one(broker: Broker) -> Recorder:
            recorder = Recorder()
            stack.push_async_callback(broker.stop)
            await broker.start(recorder)
            return recorder

        yield start_one


@pytest.fixture(params=["memory", "postgres"])
def make_brokers(request: pytest.FixtureRequest) -> Callable[[], list[Broker]]:
    """Makes the brokers of a deployment of as many processes as the medium can reach: one, or three."""
    if request.param == "memory":
        return lambda: [MemoryBroker()]
    connect = request.getfixturevalue("connect")
    return lambda: [PostgresBroker(connect) for _ in range(3)]
