import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack

import asyncpg
import pytest

from app.realtime.broker import Broker, MemoryBroker, PostgresBroker, make_broker
from app.realtime.settings import PubSubSettings
from tests.integration.app.realtime.recorder import Recorder
from tests.integration.app.realtime.redis_server import RedisServer, cluster, plain_server, secured_server

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
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks Redis's protocol: that of TEST_REDIS_URL, or one of our own."""
    with plain_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def secured_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that speaks TLS only, to users with a password."""
    with secured_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[RedisServer]]:
    """The nodes of a cluster."""
    with cluster(tmp_path_factory.mktemp("redis")) as nodes:
        yield nodes


@pytest.fixture
def redis_channel() -> str:
    """A channel of the test's own: channels belong to the whole server."""
    return f"starling-test-{secrets.token_hex(6)}"


def redis_broker(url: str, channel: str) -> Broker:
    """The broker of these settings; its client is imported when it is asked for."""

    async def no_connection() -> None:
        raise AssertionError("nobody asked for a connection to the database")

    settings = PubSubSettings(backend="redis", url=url, channel=channel)
    return make_broker(settings, connect=no_connection)


@pytest.fixture(params=["memory", "postgres", "redis", "redis with TLS", "redis cluster"])
def make_brokers(request: pytest.FixtureRequest) -> Callable[[], list[Broker]]:
    """Makes the brokers of a deployment of as many processes as the medium can reach: one, or three."""
    if request.param == "memory":
        return lambda: [MemoryBroker()]
    if request.param == "postgres":
        connect = request.getfixturevalue("connect")
        return lambda: [PostgresBroker(connect) for _ in range(3)]
    channel = request.getfixturevalue("redis_channel")
    if request.param == "redis cluster":
        nodes = request.getfixturevalue("redis_cluster")
        urls = [f"redis://127.0.0.1:{node.port}" for node in nodes]
    else:
        fixture = "redis_url" if request.param == "redis" else "secured_redis_url"
        urls = [request.getfixturevalue(fixture)] * 3
    return lambda: [redis_broker(url, channel) for url in urls]
