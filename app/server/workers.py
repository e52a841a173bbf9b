"""The workers as the parent sees them: forked, heard of, replaced when they end, stopped together."""

import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

import msgspec

from app.core.errors import StartError
from app.project_setup import Settings
from app.server.board import Board
from app.server.listeners import Listeners
from app.server.parent_log import LOGGER
from app.server.processes import ended
from app.server.restarts import Restarts
from app.server.signals import Signals
from app.server.worker import SHUTDOWN_SECONDS, Lines, MakeApp, Place, Report, run_worker


class _Worker:
    """One place for a worker, and the process that holds it now (pid None: between two processes)."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid: int | None = None
        self.report: int | None = None
        self.failure: str | None = None
        self.may_pass = False
        self.is_up = False
        self.started = 0.0
        self.restart_at = math.inf
        self.restarts = Restarts()


class Workers:
    """All workers of this server. `forget` lets go of the parent's things in each of them, after the fork."""

    def __init__(
        self,
        settings: Settings,
        make_app: MakeApp,
        *,
        listeners: Listeners,
        signals: Signals,
        forget: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._make_app = make_app
        self._listeners = listeners
        self._signals = signals
        self._forget = forget
        # The parent alone holds the write end: when it dies, however it dies, the workers read the end.
        self._life_read, self._life_write = os.pipe()
        self._board = Board(settings.http.workers)
        self._workers = [_Worker(number) for number in range(settings.http.workers)]
        self.were_up = False

    @property
    def next_look(self) -> float:
        """When a worker is to be started again, in time.monotonic(); infinity when none is."""
        return min(worker.restart_at for worker in self._workers)

    def start(self) -> None:
        """Fork them all. They are up when `were_up` is True."""
        for worker in self._workers:
            self._fork(worker)

    def reports(self) -> list[int]:
        """Descriptors from which a worker may be heard: give those that can be read to `hear`."""
        return [worker.report for worker in self._workers if worker.report is not None]

    def hear(self, descriptor: int) -> None:
        """Take a worker's report, or the silence of one that died without."""
        worker = next(worker for worker in self._workers if worker.report == descriptor)
        worker.report = None
        with os.fdopen(descriptor, "rb") as pipe:
            said = pipe.read()
        if not said:
            return
        report = msgspec.json.decode(said, type=Report)
        worker.failure = report.failure
        worker.may_pass = report.may_pass
        worker.is_up = report.failure is None
        self.were_up = self.were_up or all(worker.is_up for worker in self._workers)

    def tend(self) -> None:
        """Replace workers that ended. Raises StartError for one that cannot be started."""
        for worker in self._workers:
            if worker.pid is None:
                if time.monotonic() >= worker.restart_at:
                    self._fork(worker)
            elif (status := self._reap(worker)) is not None:
                self._note_end(worker, status)

    def stop(self) -> None:
        """Let them drain and shut down for as long as both may take; then, or when asked again, kill them."""
        self._listeners.close()
        asked = self._signals.stop_requests
        deadline = time.monotonic() + self._settings.http.stop_seconds + SHUTDOWN_SECONDS
        self._send(signal.SIGTERM)
        is_killing = False
        while self._reap_all():
            if not is_killing and (self._signals.stop_requests > asked or time.monotonic() >= deadline):
                is_killing = True
                self._send(signal.SIGKILL)
            self._signals.wait(None if is_killing else deadline - time.monotonic())
        for descriptor in (*self.reports(), self._life_read, self._life_write):
            os.close(descriptor)

    def _send(self, signum: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid is not None:
                os.kill(worker.pid, signum)  # not reaped yet: nobody else can have this pid

    def _fork(self, worker: _Worker) -> None:
        report_read, report_write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        worker.restart_at, worker.failure, worker.may_pass, worker.is_up = math.inf, None, False, False
        worker.started = time.monotonic()
        try:
            worker.pid = self._signals.fork()
        except OSError as error:
            raise StartError(f"no more processes can be started: {error.strerror}") from error
        if worker.pid == 0:
            os.close(report_read)
            self._become(worker, Lines(report=report_write, parent=self._life_read))
        os.close(report_write)
        worker.report = report_read

    def _become(self, worker: _Worker, lines: Lines) -> NoReturn:
        """Go on as that worker, never to return to the parent's frames, which would stop the database."""
        status = 1
        try:
            for descriptor in (*self.reports(), self._life_write):
                os.close(descriptor)
            self._listeners.close_except(worker.number)
            self._forget()
            place = Place(
                number=worker.number,
                sockets=self._listeners.of_worker(worker.number),
                lines=lines,
                board=self._board,
                # Where others answer already, or answered a moment ago, a connection had better wait than be
                # told that we are starting.
                accepts_early=not (self.were_up or self._listeners.are_handed_down),
            )
            status = run_worker(self._settings, self._make_app, place)
        except BaseException:  # noqa: BLE001  # the rim of the process
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _reap(self, worker: _Worker) -> int | None:
        """How the worker's process ended, negative for a signal; None while it runs."""
        assert worker.pid is not None
        pid, status = os.waitpid(worker.pid, os.WNOHANG)
        if pid == 0:
            return None
        worker.pid = None
        return os.waitstatus_to_exitcode(status)

    def _reap_all(self) -> bool:
        """Whether any worker still runs."""
        for worker in self._workers:
            if worker.pid is not None:
                self._reap(worker)
        return any(worker.pid is not None for worker in self._workers)

    def _note_end(self, worker: _Worker, status: int) -> None:
        if worker.report is not None:
            self.hear(worker.report)
        if not self.were_up:
            raise StartError(worker.failure or f"a worker {ended(status)} while it was starting")
        lived = time.monotonic() - worker.started
        # One that finds the database away is as good as one that was up: it is started until it is back.
        delay = worker.restarts.delay_after(lived, was_up=worker.is_up or worker.may_pass)
        if delay is None:
            raise StartError(f"a worker could not be started again: {worker.failure or ended(status)}")
        LOGGER.error("a worker %s; another one is started", worker.failure or ended(status))
        worker.is_up = False
        worker.restart_at = time.monotonic() + delay
