"""What the brokers over a network have in common: a connection that is kept, and what waits to be sent on it.

The connection is supervised: pinged, made anew with growing delays, listened on again, and after that the
listener is told that it may have missed something. What has gathered is sent together: at once when the last
sending is long enough ago, else when a few milliseconds are over.
"""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar, Final, Protocol

import msgspec

from app.realtime.backoff import Backoff
from app.realtime.broker.base import Broker, BrokerNumbers, Listener
from app.realtime.broker.outbox import Outbox
from app.realtime.broker.wire import Gap, Outgoing, Unpacker
from app.realtime.events import Envelope
from orm.errors import Unavailable

logger = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.002  # at most 500 sendings a second and process, and at most so long a wait
PING_SECONDS: Final = 5.0
OPEN_SECONDS: Final = 5.0  # to connect and to listen
ANSWER_SECONDS: Final = 5.0  # for each answer: past it the connection counts as dead
FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 2.0
FLUSH_SECONDS: Final = 1.0  # at the end, for what still waits

NOT_RUNNING: Final = "the broker is not running"
LOST: Final = "the connection that carries events between processes is lost"


class Carrier(Protocol):
    """A connection that is listening already."""

    @property
    def is_closed(self) -> bool:
        """Nothing can be sent or heard any more."""

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Send messages to every process. Raises what `SupervisedBroker.failures` names."""

    async def ping(self) -> None:
        """Return when the other end has answered. Raises likewise."""

    async def close(self) -> None:
        """Say goodbye."""

    async def terminate(self) -> None:
        """End it without waiting for the other end. May be called after `close`."""


class SupervisedBroker(Broker, ABC):
    """See the module. What subclasses do is to open a carrier."""

    failures: ClassVar[tuple[type[Exception], ...]] = ()
    """What a connection that is lost, or cannot be had, raises; anything else is a mistake of ours."""

    def __init__(
        self,
        *,
        ping_seconds: float = PING_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        open_seconds: float = OPEN_SECONDS,
    ) -> None:
        self._ping_seconds = ping_seconds
        self._answer_seconds = answer_seconds
        self._open_seconds = open_seconds
        self._outbox = Outbox()
        self._unpacker = Unpacker()
        self._listener: Listener | None = None
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = NOT_RUNNING
        self._numbers = BrokerNumbers()
        self._sample: tuple[Envelope, float] | None = None

    @abstractmethod
    async def _open(self, arrived: Callable[[str | bytes], None], ended: Callable[[], None]) -> Carrier:
        """A connection that listens: it calls `arrived` with each payload, and `ended` when it is lost.

        It is limited in time by the caller.
        """

    @abstractmethod
    def _start_failure(self, error: Exception) -> Exception:
        """What `start` raises where the first connection failed with `error`."""

    async def start(self, listener: Listener) -> None:
        """See Broker."""
        self._listener = listener
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._supervise(listener, started), name="broker")
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
        self._numbers.published += len(envelopes)
        self._work.set()

    def health(self) -> str | None:
        """See Broker."""
        return self._trouble

    def numbers(self) -> BrokerNumbers:
        """See Broker."""
        self._numbers.waiting = len(self._outbox)
        return self._numbers

    # -- the one task

    async def _supervise(self, listener: Listener, started: "asyncio.Future[None]") -> None:
        """Keep a connection until `stop`. The first one that fails ends it, so that `start` can say so."""
        backoff = Backoff(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        failure: Exception = Unavailable("the broker was stopped while it started")
        lost: tuple[type[Exception], ...] = (OSError, Unavailable, *self.failures)
        try:
            while not self._stopping.is_set():
                try:
                    await self._serve(listener, started, backoff)
                except lost as error:
                    logger.warning("the broker has no connection: %s: %s", type(error).__name__, error)
                    failure = error if isinstance(error, Unavailable) else self._start_failure(error)
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
        """Open a connection, then send and ping on it.

        Returns when stopped; raises when the connection is lost.
        """
        self._unpacker = Unpacker()
        async with asyncio.timeout(self._open_seconds):
            carrier = await self._open(self._arrived, self._work.set)
        try:
            if started.done():
                self._outbox.cut()  # what is ephemeral is out of date by now
                listener.gap()
            else:
                started.set_result(None)
            self._trouble = None
            self._numbers.connected += 1
            backoff.reset()
            await self._converse(carrier)
            async with asyncio.timeout(self._answer_seconds):
                await carrier.close()
        finally:
            await carrier.terminate()

    async def _converse(self, carrier: Carrier) -> None:
        """Send what gathers, ping now and then; return when stopped and nothing is left to send.

        Also while there is much to send: what is sent says nothing of what can be heard.
        """
        loop = asyncio.get_running_loop()
        sent_at, ping_at = 0.0, loop.time() + self._ping_seconds
        while not carrier.is_closed:
            if loop.time() >= ping_at:
                async with asyncio.timeout(self._answer_seconds):
                    await carrier.ping()
                ping_at = loop.time() + self._ping_seconds
            elif self._outbox:
                wait = sent_at + GATHER_SECONDS - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                sent_at = loop.time()
                await self._send(carrier)
            elif self._stopping.is_set():
                return
            else:
                self._work.clear()
                with contextlib.suppress(TimeoutError):  # time for a ping
                    async with asyncio.timeout_at(ping_at):
                        await self._work.wait()
        raise ConnectionResetError("the server closed it")

    async def _send(self, carrier: Carrier) -> None:
        """Send all that waits; of what is not known to be sent, keep the heads: doubles do no harm."""
        messages = self._outbox.take()
        self._take_sample(messages)
        try:
            await carrier.send(messages)
        except BaseException:
            self._outbox.put_back(messages)
            raise

    def _take_sample(self, messages: Sequence[Outgoing]) -> None:
        """Remember one of the messages until it comes back, which tells how long that takes; or not any more,
        when it does not for long.
        """
        now, last = monotonic(), messages[-1]  # the loop's own clock counts milliseconds
        is_over = self._sample is None or now - self._sample[1] > self._answer_seconds
        if is_over and isinstance(last, Envelope):
            self._sample = last, now

    def _compare_sample(self, message: Outgoing) -> None:
        if self._sample is not None and message == self._sample[0]:
            self._numbers.lag_seconds = monotonic() - self._sample[1]
            self._sample = None

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass  # nobody stopped it: on with the next try

    def _arrived(self, payload: str | bytes) -> None:
        listener = self._listener
        assert listener is not None, "nothing is opened before the start"
        try:
            messages = self._unpacker.unpack(payload)
        except msgspec.DecodeError as error:  # another version of us, or a stranger on our channel
            logger.warning("a payload of the broker cannot be read: %s", error)
            listener.gap()
            return
        self._numbers.received += len(messages)
        for message in messages:
            self._compare_sample(message)
            if isinstance(message, Gap):
                listener.gap()
            else:
                listener.receive(message)
