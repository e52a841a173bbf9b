"""Signals of the parent as something to wait for: no work is done inside a handler."""

import os
import select
import signal
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Self

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NOTED = (*_STOPPING, signal.SIGCHLD)


class StopRequested(Exception):  # an order, not an error
    """Somebody asked the server to stop while it was still starting."""


class Signals:
    """While entered, counts SIGTERM, SIGINT and SIGHUP in `stop_requests`; the end of a child ends a `wait`.

    SIGHUP, the end of the terminal, is a request to stop like the others, unless the process was started with
    nohup: there is nothing that could be read anew.
    """

    def __init__(self) -> None:
        self.stop_requests = 0

    def __enter__(self) -> Self:
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._old_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # SIGINT is noted even where it was ignored, as it is in what a script starts in the background.
        has_nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        noted = [signum for signum in _NOTED if not (has_nohup and signum == signal.SIGHUP)]
        self._old_handlers = {signum: signal.signal(signum, self._note) for signum in noted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._old_handlers.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def wait(self, seconds: float | None, readers: Iterable[int] = ()) -> list[int]:
        """Wait until a signal comes, one of `readers` can be read, or the time is over (None: never). The
        readable ones.
        """
        poll = select.poll()
        for descriptor in (self._wake_read, *readers):
            poll.register(descriptor, select.POLLIN)
        ready = [
            descriptor for descriptor, _ in poll.poll(None if seconds is None else max(0.0, seconds) * 1000)
        ]
        if self._wake_read in ready:
            ready.remove(self._wake_read)
            os.read(self._wake_read, 4096)
        return ready

    def pause(self, seconds: float) -> None:
        """Wait for at most so long. Raises StopRequested when a stop was asked for."""
        if not self.stop_requests:
            self.wait(seconds)
        if self.stop_requests:
            raise StopRequested

    def fork(self) -> int:
        """os.fork, after which the child ignores SIGINT and SIGHUP, and SIGTERM ends it.

        A terminal sends Ctrl-C to the whole group; it is the parent who tells the children. Signals are held
        back in between, so that none of them meets a child that still has the parent's handlers.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOTED)
        try:
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                os.close(self._wake_read)
                os.close(self._wake_write)
                for signum in _NOTED:
                    ignored = signum in (signal.SIGINT, signal.SIGHUP)
                    signal.signal(signum, signal.SIG_IGN if ignored else signal.SIG_DFL)
            return child
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if signum in _STOPPING:
            self.stop_requests += 1
