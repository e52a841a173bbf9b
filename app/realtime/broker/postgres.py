"""The broker on PostgreSQL: LISTEN and NOTIFY on one connection of its own, outside any pool.

One connection for both, because it costs one backend a process instead of two and was measured to be no
slower, and because its loss is then one loss: what cannot hear does not speak. It is supervised: pinged when
it is quiet, made anew with growing delays, listened on again, and after that the listener is told that it may
have missed something.

NOTIFY takes a lock that all of them share at commit, so it is sent after the transaction of the change, not
in it, and what has gathered goes together: at once when the last sending is long enough ago, else when a few
milliseconds are over.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from app.realtime.backoff import Backoff
from app.realtime.broker.base import Broker, Listener
from app.realtime.broker.outbox import Outbox
from app.realtime.broker.wire import Gap, Packer, Unpacker
from app.realtime.events import Envelope
from orm.errors import DatabaseUnavailable, Unavailable

logger = logging.getLogger(__name__)

# One statement is one commit, however many payloads it sends.
NOTIFY: Final = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"

GATHER_SECONDS: Final = 0.002  # at most 500 commits a second and process, and at most so long a wait
PAYLOADS_AT_ONCE: Final = 64  # half a megabyte: well under the second that a statement may take on a bad day
PING_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0  # to connect, and for each statement: past it the connection counts as dead
FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 5.0
FLUSH_SECONDS: Final = 1.0  # at the end, for what still waits
MAX_CHANNEL_BYTES: Final = 63  # longer names are cut by LISTEN, and refused by pg_notify
MAX_PREFIX_BYTES: Final = 40

Connect = Callable[[], Awaitable[asyncpg.Connection]]

NOT_RUNNING: Final = "the broker is not running"
LOST: Final = "the connection that carries events between processes is lost"


class PostgresBroker(Broker):
    """See the module.

    Processes that share `channel`, database and schema hear each other: it is those that share their tables.
    `connect` opens a direct connection: behind a transaction pooler nothing is heard.
    """

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
        self._connect = connect
        self._prefix = channel
        self._ping_seconds = ping_seconds
        self._answer_seconds = answer_seconds
        self._outbox = Outbox()
        self._packer = Packer(secrets.token_hex(6))
        self._unpacker = Unpacker()
        self._listener: Listener | None = None
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = NOT_RUNNING

    async def start(self, listener: Listener) -> None:
        """See Broker."""
        self._listener = listener
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._supervise(listener, started), name="postgres broker")
        try:
            await started
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """See Broker. Waits a second at most for what is still to be sent."""
        self._stopping.set()
        self._work.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=FLUSH_SECONDS)
            self._task.cancel()
            await asyncio.wait({self._task})
        self._trouble = NOT_RUNNING

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """See Broker."""
        if self._stopping.is_set():
            return
        for envelope in envelopes:
            self._outbox.put(envelope)
        self._work.set()

    def health(self) -> str | None:
        """See Broker."""
        return self._trouble

    # -- the one task

    async def _supervise(self, listener: Listener, started: "asyncio.Future[None]") -> None:
        """Keep a connection until `stop`. The first one that fails ends it, so that `start` can say so."""
        backoff = Backoff(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        failure: Exception = Unavailable("the broker was stopped while it started")
        try:
            while not self._stopping.is_set():
                try:
                    await self._serve(listener, started, backoff)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Unavailable) as error:
                    logger.warning("the broker has no connection: %s: %s", type(error).__name__, error)
                    failure = _start_failure(error)
                except Exception as error:
                    logger.exception("the broker failed, it starts anew")
                    failure = error
                if not started.done():
                    return
                self._trouble = LOST
                await self._pause(backoff.next())
        finally:
            if not started.done():
                started.set_exception(failure)

    async def _serve(self, listener: Listener, started: "asyncio.Future[None]", backoff: Backoff) -> None:
        """Open a connection, listen, then send and ping on it.

        Returns when stopped; raises when the connection is lost.
        """
        async with asyncio.timeout(self._answer_seconds):
            connection = await self._connect()
        try:
            connection.add_termination_listener(self._connection_ended)
            async with asyncio.timeout(self._answer_seconds):
                schema = await connection.fetchval("SELECT current_schema()")
                channel = _channel(self._prefix, schema or "")
                await connection.add_listener(channel, self._arrived)
            self._unpacker = Unpacker()
            if started.done():
                self._outbox.cut()  # what is ephemeral is out of date by now
                listener.gap()
            else:
                started.set_result(None)
            self._trouble = None
            backoff.reset()
            await self._converse(connection, channel)
            await connection.close(timeout=self._answer_seconds)
        finally:
            if not connection.is_closed():
                connection.terminate()

    async def _converse(self, connection: asyncpg.Connection, channel: str) -> None:
        """Send what gathers, ping when there is nothing; return when stopped and nothing is left to send."""
        loop = asyncio.get_running_loop()
        sent_at = 0.0
        while not connection.is_closed():
            if self._outbox:
                wait = sent_at + GATHER_SECONDS - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                sent_at = loop.time()
                await self._send(connection, channel)
            elif self._stopping.is_set():
                return
            else:
                self._work.clear()
                try:
                    async with asyncio.timeout(self._ping_seconds):
                        await self._work.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=self._answer_seconds)
        raise ConnectionResetError("the server closed it")

    async def _send(self, connection: asyncpg.Connection, channel: str) -> None:
        """Send all that waits; of what is not known to be sent, keep the heads: doubles do no harm."""
        messages = self._outbox.take()
        try:
            payloads = self._packer.pack(messages)
            for start in range(0, len(payloads), PAYLOADS_AT_ONCE):
                some = payloads[start : start + PAYLOADS_AT_ONCE]
                await connection.execute(NOTIFY, channel, some, timeout=self._answer_seconds)
        except BaseException:
            self._outbox.put_back(messages)
            raise

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass  # nobody stopped it: on with the next try

    # -- what asyncpg calls

    def _connection_ended(self, _: Any) -> None:
        self._work.set()

    def _arrived(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        listener = self._listener
        assert listener is not None
        try:
            messages = self._unpacker.unpack(payload)
        except msgspec.DecodeError as error:  # another version of us, or a stranger on our channel
            logger.warning("a payload on channel %s cannot be read: %s", channel, error)
            listener.gap()
            return
        for message in messages:
            if isinstance(message, Gap):
                listener.gap()
            else:
                listener.receive(message)


def _channel(prefix: str, schema: str) -> str:
    """The channel of one schema, since channels belong to the whole database."""
    channel = f"{prefix}.{schema}"
    if len(channel.encode()) <= MAX_CHANNEL_BYTES:
        return channel
    return f"{prefix}.{hashlib.blake2s(schema.encode(), digest_size=8).hexdigest()}"


def _start_failure(error: Exception) -> Exception:
    """What `start` raises: our own error as it is, the driver's as DatabaseUnavailable."""
    if isinstance(error, Unavailable):
        return error
    problem = DatabaseUnavailable("the connection for LISTEN and NOTIFY cannot be opened")
    problem.__cause__ = error
    return problem
