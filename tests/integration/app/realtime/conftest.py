import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from app.realtime.broker import Broker, MemoryBroker, PostgresBroker, RedisBroker
from tests.integration.app.realtime.recorder import Recorder
from tests.integration.app.realtime.redis_server import redis_url_or_skip

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


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A server that speaks Redis's protocol: that of TEST_REDIS_URL, or of this machine."""
    return redis_url_or_skip()


@pytest.fixture
def redis_channel() -> str:
    """A channel of the test's own: channels belong to the whole server."""
    return f"starling-test-{secrets.token_hex(6)}"


@pytest.fixture(params=["memory", "postgres", "redis"])
def make_brokers(request: pytest.FixtureRequest) -> Callable[[], list[Broker]]:
    """Makes the brokers of a deployment of as many processes as the medium can reach: one, or three."""
    if request.param == "memory":
        return lambda: [MemoryBroker()]
    if request.param == "redis":
        url, channel = request.getfixturevalue("redis_url"), request.getfixturevalue("redis_channel")
        return lambda: [RedisBroker(url, channel=channel) for _ in range(3)]
    connect = request.getfixturevalue("connect")
    return lambda: [PostgresBroker(connect) for _ in range(3)]
