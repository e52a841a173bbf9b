"""The broker on PostgreSQL: LISTEN and NOTIFY on one connection of its own, outside any pool.

One connection for both, because it costs one backend a process instead of two and was measured to be no
slower, and because its loss is then one loss: what cannot hear does not speak.

NOTIFY takes a lock that all of them share at commit, so it is sent after the transaction of the change, not
in it, and what has gathered goes together.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Final

import asyncpg

from app.realtime.broker.supervised import ANSWER_SECONDS, PING_SECONDS, Carrier, SupervisedBroker
from app.realtime.broker.wire import Outgoing, Packer
from orm.errors import DatabaseUnavailable

# One statement is one commit, however many payloads it sends.
NOTIFY: Final = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"

PAYLOADS_AT_ONCE: Final = 64  # half a megabyte: well under the second that a statement may take on a bad day
MAX_CHANNEL_BYTES: Final = 63  # longer names are cut by LISTEN, and refused by pg_notify
MAX_PREFIX_BYTES: Final = 40

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class PostgresBroker(SupervisedBroker):
    """See the module.

    Processes that share `channel`, database and schema hear each other: it is those that share their tables.
    `connect` opens a direct connection: behind a transaction pooler nothing is heard.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (asyncpg.PostgresError, asyncpg.InterfaceError)

    def __init__(
        self,
        connect: Connect,
        *,
        channel: str = "starling",
        ping_seconds: float = PING_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        if not 0 < len(channel.encode()) <= MAX_PREFIX_BYTES:
            raise ValueError(f"channel {channel!r} is not 1 to {MAX_PREFIX_BYTES} bytes long")
        super().__init__(ping_seconds=ping_seconds, answer_seconds=answer_seconds)
        self._connect = connect
        self._prefix = channel
        self._packer = Packer(secrets.token_hex(6))

    async def _open(self, arrived: Callable[[str | bytes], None], ended: Callable[[], None]) -> Carrier:
        """See SupervisedBroker."""
        connection = await self._connect()
        try:
            connection.add_termination_listener(lambda _: ended())
            schema = await connection.fetchval("SELECT current_schema()")
            channel = _channel(self._prefix, schema or "")
            await connection.add_listener(channel, lambda *notification: arrived(notification[3]))
        except BaseException:
            connection.terminate()
            raise
        return _PostgresCarrier(connection, channel, self._packer, self._answer_seconds)

    def _start_failure(self, error: Exception) -> Exception:
        """See SupervisedBroker."""
        problem = DatabaseUnavailable("the connection for LISTEN and NOTIFY cannot be opened")
        problem.__cause__ = error
        return problem


class _PostgresCarrier:
    """See Carrier."""

    def __init__(self, connection: Any, channel: str, packer: Packer, answer_seconds: float) -> None:
        self._connection = connection
        self._channel = channel
        self._packer = packer
        self._answer_seconds = answer_seconds

    @property
    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())

    async def send(self, messages: Sequence[Outgoing]) -> None:
        payloads = self._packer.pack(messages)
        for start in range(0, len(payloads), PAYLOADS_AT_ONCE):
            some = payloads[start : start + PAYLOADS_AT_ONCE]
            await self._connection.execute(NOTIFY, self._channel, some, timeout=self._answer_seconds)

    async def ping(self) -> None:
        await self._connection.execute("SELECT 1", timeout=self._answer_seconds)

    async def close(self) -> None:
        await self._connection.close(timeout=self._answer_seconds)

    async def terminate(self) -> None:
        if not self._connection.is_closed():
            self._connection.terminate()


def _channel(prefix: str, schema: str) -> str:
    """The channel of one schema, since channels belong to the whole database."""
    channel = f"{prefix}.{schema}"
    if len(channel.encode()) <= MAX_CHANNEL_BYTES:
        return channel
    return f"{prefix}.{hashlib.blake2s(schema.encode(), digest_size=8).hexdigest()}"
