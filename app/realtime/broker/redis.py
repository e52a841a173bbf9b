"""The broker on Redis, or whatever speaks its protocol: PUBLISH and SUBSCRIBE, for more processes than NOTIFY
carries well (some 8 to 16).

Two connections a process, one to hear and one to speak, since a connection that has subscribed may say
nothing else. The loss of either is the loss of both. PUBLISH reaches every node of a cluster, whichever is
asked, so that a cluster's address is one like any other.

Redis remembers nothing and promises nothing: a subscriber that is away, or is dropped because it does not
keep up (`client-output-buffer-limit pubsub`), does not get what was published meanwhile. That is what the
interface allows: durable events are in the log, and after every interruption the listener is told of the
gap.

A channel belongs to the whole server, whatever the number of the database in the URL. Deployments that
share a server must differ in `channel` (PUBSUB__CHANNEL): they would take each other's events for their
own.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from app.realtime.broker.resp import RespConnection, RespError
from app.realtime.broker.supervised import ANSWER_SECONDS, PING_SECONDS, Carrier, SupervisedBroker
from app.realtime.broker.wire import Outgoing, Packer
from orm.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES: Final = 256 << 10
"""Larger events are told by their heads: each process reads them once, and no subscriber's buffer fills up.
"""


class RedisBroker(SupervisedBroker):
    """See the module. Raises ValueError for a channel without a name."""

    failures: ClassVar[tuple[type[Exception], ...]] = (RespError,)

    def __init__(
        self,
        url: str,
        *,
        channel: str = "starling",
        ping_seconds: float = PING_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        if not channel:
            raise ValueError("a channel has a name: give one that no other deployment on this server has")
        super().__init__(ping_seconds=ping_seconds, answer_seconds=answer_seconds)
        self._url = url
        self._channel = channel
        self._packer = Packer(secrets.token_hex(6), max_bytes=MAX_PAYLOAD_BYTES)

    async def _open(self, arrived: Callable[[str | bytes], None], ended: Callable[[], None]) -> Carrier:
        """See SupervisedBroker."""
        speaker = await RespConnection.open(self._url)
        try:
            hearer = await RespConnection.open(self._url)
            try:
                await hearer.ask("SUBSCRIBE", self._channel)
            except BaseException:
                hearer.terminate()
                raise
        except BaseException:
            speaker.terminate()
            raise
        return _RedisCarrier(
            speaker, hearer, self._channel, self._packer, self._answer_seconds, arrived=arrived, ended=ended
        )

    def _start_failure(self, error: Exception) -> Exception:
        """See SupervisedBroker. The URL is not shown: it may hold a password."""
        problem = Unavailable(f"the server of PUBSUB__URL cannot be used: {error}")
        problem.__cause__ = error
        return problem


class _RedisCarrier:
    """See Carrier."""

    def __init__(
        self,
        speaker: RespConnection,
        hearer: RespConnection,
        channel: str,
        packer: Packer,
        answer_seconds: float,
        *,
        arrived: Callable[[str | bytes], None],
        ended: Callable[[], None],
    ) -> None:
        self._speaker = speaker
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
        return self._speaker.is_closed or self._hearing.done()

    async def send(self, messages: Sequence[Outgoing]) -> None:
        commands: list[tuple[str | bytes, ...]] = [
            ("PUBLISH", self._channel, payload) for payload in self._packer.pack(messages)
        ]
        async with asyncio.timeout(self._answer_seconds):
            await self._speaker.ask_all(commands)

    async def ping(self) -> None:
        self._pong.clear()
        await self._speaker.ask("PING")
        await self._hearer.say("PING")
        await self._pong.wait()

    async def close(self) -> None:
        self.terminate()
        await asyncio.wait({self._hearing})

    def terminate(self) -> None:
        self._hearing.cancel()
        self._speaker.terminate()
        self._hearer.terminate()

    async def _hear(self) -> None:
        """Take what is pushed until the connection is over."""
        try:
            while True:
                answer = await self._hearer.read()
                if not isinstance(answer, list) or not answer:
                    raise RespError(f"a subscriber got {answer!r}")
                if answer[0] == b"message" and isinstance(answer[2], bytes):
                    self._arrived(answer[2])
                elif answer[0] == b"pong":
                    self._pong.set()
        except (OSError, RespError) as error:
            logger.info("the broker hears nothing more: %s: %s", type(error).__name__, error)
        except Exception:
            logger.exception("the broker hears nothing more")
        finally:
            self._ended()
