"""A program that is handed a listening socket, as systemd does it, and may follow on another one."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.program import REPOSITORY


@contextmanager
def program(
    command: Sequence[str], folder: Path, listening: socket.socket, settings: Mapping[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """A program that was handed the socket as descriptor 3, once it is ready."""
    descriptor = listening.fileno()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    started = subprocess.Popen(
        command,
        cwd=folder,
        env=inherited
        | {"PYTHONPATH": str(REPOSITORY), "LISTEN_FDS": "1", "PYTHONUNBUFFERED": "1"}
        | dict(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: os.dup2(descriptor, 3),  # noqa: PLW1509  # one call, nothing of Python's own
        pass_fds=(3,),
    )
    out = started.stdout
    assert out is not None
    try:
        assert "is ready on" in out.readline()
        yield started
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
        out.close()


def end(old: "subprocess.Popen[str]") -> None:
    """Let it finish what it has begun, and wait for it."""
    old.send_signal(signal.SIGTERM)
    assert old.wait(20) == 0
