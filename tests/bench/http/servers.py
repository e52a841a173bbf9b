"""The servers of the contestants: started, pinned, looked at and ended."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from tests.bench.cores import pin

ROOT: Final = Path(__file__).resolve().parents[3]

_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.005
_INHERITED: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH")


class ServerFailed(Exception):
    """A server ended, or did not answer in time. Its str says which, and its last words."""


class ServerProcess:
    """A running server: its port, and all its processes."""

    def __init__(self, title: str, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.title = title
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self._process = process
        self._log = log

    def processes(self) -> list[psutil.Process]:
        """Itself first, then the ones that it started."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """How much CPU all of them have had."""
        times = [one.cpu_times() for one in self.processes()]
        return sum(one.user + one.system for one in times)

    async def wait_until_up(self, path: str) -> None:
        """Return when it answers at `path` with less than 500. Raises ServerFailed."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.title} ended: {self.last_words()}")
            with contextlib.suppress(OSError, IndexError):
                if await self._status(path) < 500:
                    return
            await asyncio.sleep(_LOOK_SECONDS)
        raise ServerFailed(f"{self.title} did not answer in {_START_SECONDS:g} s: {self.last_words()}")

    async def _status(self, path: str) -> int:
        """Of the answer to a GET. By hand: a client of httpx takes longer to make than a server to start."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            return int((await reader.readline()).split()[1])
        finally:
            writer.close()

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-800:].strip() or "without a word"

    async def end(self) -> None:
        """SIGTERM, and SIGKILL for what is left after a while."""
        running = self.processes() if self._process.poll() is None else []
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._process.wait, _END_SECONDS)
        except subprocess.TimeoutExpired:
            for one in running:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            self._process.wait()


@contextlib.asynccontextmanager
async def server(
    title: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    port: int,
    core: int | None,
    ready: str,
) -> AsyncIterator[ServerProcess]:
    """The server that `command` starts in a folder of its own, from when `ready`, a path, is answered.

    Raises ServerFailed."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="starling-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            # not asyncio's: psutil and `wait` are asked about it as well
            process = subprocess.Popen(  # noqa: ASYNC220
                command,
                cwd=folder,
                env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        found = ServerProcess(title, process, port, log)
        try:
            pin(process.pid, core)
            await found.wait_until_up(ready)
            yield found
        finally:
            await found.end()


def python(module: str, interpreter: Path | None = None) -> tuple[str, ...]:
    """The command that runs a module of this repository."""
    return (str(interpreter or sys.executable), "-m", module)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
