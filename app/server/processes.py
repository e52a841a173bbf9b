"""Processes as they are told apart: by pid and start time, because pids are given again."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

_PR_SET_PDEATHSIG = 1


class ProcessIdentity(msgspec.Struct, frozen=True):
    """One process for all time. `started` is opaque: it names the boot and the moment within it."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Who runs under that pid now; None when nobody does, or only a zombie that waits to be reaped."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return _started(self.pid) == self.started

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to this very process; nothing happens when it is gone."""
        # Nobody gets the pid between the look and the signal: the kernel goes through all others first.
        with contextlib.suppress(ProcessLookupError):
            if self.is_alive():
                os.kill(self.pid, signum)

    def runs(self, program: str, folder: Path) -> bool:
        """Whether it runs a program of that name with `folder` as its working directory.

        False where the system does not tell: not Linux, or somebody else's process.
        """
        about = Path(f"/proc/{self.pid}")
        try:
            running, working = (about / "exe").readlink().name, (about / "cwd").readlink()
        except OSError:
            return False
        # A program whose file was replaced since it started is shown as "postgres (deleted)".
        return running.removesuffix(" (deleted)") == program and working == folder


def running_in(program: str, folder: Path) -> list[ProcessIdentity]:
    """Every process that `runs` that program in that folder."""
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    found = filter(None, map(ProcessIdentity.of, pids))
    return [process for process in found if process.runs(program, folder)]


def signal_at_death_of_parent(signum: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `signum` to the child when this process dies, however it dies.

    It must run after privileges were dropped, which clears the wish; subprocess keeps that order. Running
    Python between fork and exec is safe only because the processes that use it have a single thread. Only
    Linux can do this: elsewhere a killed parent leaves its child for the next start to find.
    """
    if sys.platform != "linux":
        return _nothing
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def ended(status: int) -> str:
    """How a child ended, in words; `status` as subprocess gives it, negative for a signal."""
    if status >= 0:
        return f"ended with status {status}"
    names = {one.value: one.name for one in signal.Signals}
    return f"was killed by {names.get(-status, f'signal {-status}')}"


def _started(pid: int) -> str | None:
    if sys.platform == "linux":
        return _started_by_proc(pid)
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}).stdout  # noqa: S603
    state, _, started = said.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def _started_by_proc(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command in parentheses may itself hold spaces and parentheses; what follows the last one is the
    # state, field 3.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{fields[19]}"  # field 22: clock ticks from boot to its start


def _nothing() -> None:
    return None
