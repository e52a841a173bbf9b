"""The broker on Redis, or whatever speaks its protocol: PUBLISH and SUBSCRIBE, for more processes than NOTIFY
carries well (some 8 to 16).

Two connections a process, one to hear and one to speak, since one that has subscribed may say little else.
The loss of either is the loss of both.

Redis remembers nothing and promises nothing: a subscriber that is away, or is dropped because it does not
keep up (`client-output-buffer-limit pubsub`), does not get what was published meanwhile. That is what the
interface allows: durable events are in the log, and after every interruption the listener is told of the
gap. So the client (redis-py) is not to connect again by itself.

A cluster passes what is published at any of its nodes on to all of them: each of them will do, replicas
included. (Sharded channels would bind all of us to the one shard that has our channel, and are not known
everywhere.) A replica outside of a cluster keeps it to itself: it is not used, and one that was the primary
is left at the next ping, in case the fail-over did not end our connections.

A channel belongs to the whole server, whatever the number of the database in the URL. Deployments that
share a server must differ in `channel` (PUBSUB__CHANNEL): they would take each other's events for their
own.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from app.realtime.broker.supervised import (
    ANSWER_SECONDS,
    OPEN_SECONDS,
    PING_SECONDS,
    Carrier,
    SupervisedBroker,
)
from app.realtime.broker.wire import Outgoing, Packer
from orm.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES: Final = 256 << 10
"""Larger events are told by their heads: each process reads them once, and no subscriber's buffer fills up.
"""


CLOSE_SECONDS: Final = 0.5


class Unusable(Exception):
    """A server is there, and is not what is needed; the text says why. Another one may be."""


class RedisBroker(SupervisedBroker):
    """See the module. `url` may be several with commas between: the first that can be used is, each time.

    What a URL may say is up to redis-py: `redis://user:password@host:port`, `rediss://` for TLS, with options
    such as `?ssl_ca_certs=/path`. Raises ValueError for a channel without a name.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (RedisError, Unusable)

    def __init__(
        self,
        url: str,
        *,
        channel: str = "starling",
        ping_seconds: float = PING_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        open_seconds: float = OPEN_SECONDS,
    ) -> None:
        if not channel:
            raise ValueError("a channel has a name: give one that no other deployment on this server has")
        super().__init__(ping_seconds=ping_seconds, answer_seconds=answer_seconds, open_seconds=open_seconds)
        self._urls = url.split(",")
        self._channel = channel
        self._packer = Packer(secrets.token_hex(6), max_bytes=MAX_PAYLOAD_BYTES)

    async def _open(self, arrived: Callable[[str | bytes], None], ended: Callable[[], None]) -> Carrier:
        """See SupervisedBroker."""
        failure: Exception = Unusable("PUBSUB__URL is empty")
        for url in self._urls:
            try:
                async with asyncio.timeout(self._open_seconds / len(self._urls)):
                    return await self._open_at(url.strip(), arrived, ended)
            except TimeoutError:
                failure = Unusable("it does not answer")
            except (OSError, RedisError, Unusable) as error:
                failure = error
            except ValueError as error:  # raised by redis-py where something else answers
                failure = Unusable(f"it does not speak the protocol: {error}")
        raise failure

    async def _open_at(
        self, url: str, arrived: Callable[[str | bytes], None], ended: Callable[[], None]
    ) -> Carrier:
        client = _client(url)
        hearer = client.pubsub()
        try:
            await check_primary(client)
            await hearer.subscribe(self._channel)
            if await hearer.get_message(timeout=self._open_seconds) is None:
                raise Unusable("it does not answer a subscription")
        except BaseException:
            await _close(client, hearer)
            raise
        return _RedisCarrier(
            client, hearer, self._channel, self._packer, self._answer_seconds, arrived=arrived, ended=ended
        )

    def _start_failure(self, error: Exception) -> Exception:
        """See SupervisedBroker. The URL is not shown: it may hold a password."""
        problem = Unavailable(f"the server of PUBSUB__URL cannot be used: {error!s:.200}")
        problem.__cause__ = error
        return problem


class _RedisCarrier:
    """See Carrier."""

    def __init__(
        self,
        client: Redis,
        hearer: PubSub,
        channel: str,
        packer: Packer,
        answer_seconds: float,
        *,
        arrived: Callable[[str | bytes], None],
        ended: Callable[[], None],
    ) -> None:
        self._client = client
        self._hearer = hearer
        self._channel = channel
        self._packer = packer
        self._answer_seconds = answer_seconds
        self._arrived = arrived
        self._ended = ended
        self._pong = asyncio.Event()
        self._hearing = asyncio.create_task(self._hear(), name="redis subscriber")

    @property
    def is_closed(self) -> bool:
        return self._hearing.done()

    async def send(self, messages: Sequence[Outgoing]) -> None:
        speaker: Any = self._client.pipeline(transaction=False)  # its types promise what a client's verbs do
        for payload in self._packer.pack(messages):
            speaker.publish(self._channel, payload)
        async with asyncio.timeout(self._answer_seconds):
            await speaker.execute()

    async def ping(self) -> None:
        self._pong.clear()
        await check_primary(self._client)
        await self._hearer.ping()
        await self._pong.wait()

    async def close(self) -> None:
        self._hearing.cancel()
        await asyncio.wait({self._hearing})
        await _close(self._client, self._hearer)

    async def terminate(self) -> None:
        await self.close()

    async def _hear(self) -> None:
        """Take what is pushed until the connection is over."""
        try:
            async for message in self._hearer.listen():
                if message["type"] == "message":
                    self._arrived(message["data"])
                elif message["type"] == "pong":
                    self._pong.set()
        except (OSError, RedisError) as error:
            logger.info("the broker hears nothing more: %s: %s", type(error).__name__, error)
        except Exception:
            logger.exception("the broker hears nothing more")
        finally:
            self._ended()


def _client(url: str) -> Redis:
    """A client that has no connection yet. It waits as long as we let it, and never tries again by itself:
    what was lost in between has to be known.
    """
    options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "protocol": 2, "socket_timeout": None}
    return Redis.from_url(url, **options)


async def check_primary(client: Redis) -> None:
    """Raise Unusable for a replica outside of a cluster. Who may not ask, or has a proxy in between that
    cannot, is let pass.
    """
    try:
        info = await client.info()
    except ResponseError:
        return
    if info.get("role") == "slave" and not info.get("cluster_enabled"):
        raise Unusable("it is a replica: what is published there is heard by nobody else")


async def _close(client: Redis, hearer: PubSub) -> None:
    """End the connections, whatever they are like: a dead one may take its time to say goodbye."""
    for one in (hearer, client):
        with contextlib.suppress(OSError, RedisError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await one.aclose()
