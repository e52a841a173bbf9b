"""The real program as a subprocess: started in a folder of its own, watched, and never left behind."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.memory_folder import memory_folder

REPOSITORY = Path(__file__).resolve().parents[2]
SERVE = (sys.executable, "-m", "app.cli", "serve")

# Far beyond what anything takes here: a deadline is for what never happens, on a slow machine too.
_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
# What the program under test may know of the environment of the tests: not its settings.
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = _SECONDS) -> None:
    """Return when `condition` holds. Raises AssertionError, naming `what`, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def open_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """A new folder that every user may pass through, removed afterwards: pytest's own are closed to the other
    user that postgres runs as when the tests run as root.

    `in_memory` is for those to whom the disk means nothing: see tests/support/memory_folder.py.
    """
    parent = memory_folder() if in_memory else Path(tempfile.gettempdir())
    folder = parent.resolve() / f"starling-test-{secrets.token_hex(6)}"
    umask = os.umask(0o022)
    try:
        folder.mkdir(mode=0o755)
    finally:
        os.umask(umask)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Program:
    """`starling serve` in `folder`, with only those settings. As a context manager it is over afterwards.

    The port is a free one unless HTTP__PORT is given. `command` is what to run instead of the command line,
    `root` the folder that the project's packages are imported from.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] = SERVE,
        root: Path = REPOSITORY,
    ) -> None:
        self.folder = folder
        self.settings = {"HTTP__PORT": str(free_port()), **(settings or {})}
        self.port = int(self.settings["HTTP__PORT"])
        self._command = command
        self._root = root
        self._seen: set[psutil.Process] = set()

    def start(self) -> "Program":
        """Run it; a session of its own lets a test signal its whole group."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self.folder.mkdir(exist_ok=True)
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self.process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=inherited | {"PYTHONPATH": str(self._root), "PYTHONUNBUFFERED": "1"} | self.settings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._seen.add(psutil.Process(self.process.pid))
        return self

    def wait_until_ready(self) -> "Program":
        """Return when /health/ready says so and the addresses were printed."""

        def is_ready() -> bool:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.errors()}"
            return "is ready" in self.output() and self.is_ready()

        wait_until(is_ready, "the program is ready")
        self.processes()
        return self

    def is_ready(self) -> bool:
        """Whether /health/ready answers 200 now."""
        with contextlib.suppress(OSError):
            return self.get("/health/ready").status == 200
        return False

    def get(self, path: str) -> Answer:
        """The answer to a GET, on a connection of its own. Raises OSError when there is none."""
        return self._ask(urllib.request.Request(self._url(path)))

    def post(self, path: str, body: bytes) -> Answer:
        """The answer to a POST of JSON, likewise."""
        return self._ask(
            urllib.request.Request(self._url(path), data=body, headers={"Content-Type": "application/json"})
        )

    def output(self) -> str:
        """What it wrote to standard output so far."""
        return self._file("out").read_text()

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self._file("err").read_text()

    def processes(self) -> list[psutil.Process]:
        """All processes of the program that run now, itself first. `close` ends those that were ever seen."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            self._seen.update([parent, *parent.children(recursive=True)])
        return sorted((one for one in self._seen if runs(one)), key=lambda one: one.pid)

    def workers(self) -> list[psutil.Process]:
        """The worker processes that run now."""
        return [one for one in self._children() if not _is_postgres(one)]

    def postgres(self) -> psutil.Process:
        """The embedded server."""
        (found,) = (one for one in self._children() if _is_postgres(one))
        return found

    def wait_until_over(self, *, seconds: float = _SECONDS) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the parent, and wait for the exit status."""
        self.processes()
        self.process.send_signal(signum)
        return self.wait_until_over()

    def kill(self) -> None:
        """Kill all its processes with SIGKILL, itself first; nobody else's."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def close(self) -> None:
        """Kill what is left of it, and wait until it is gone."""
        self.kill()
        self.process.wait(_SECONDS)
        wait_until(lambda: not self.processes(), "its processes are gone")

    def __enter__(self) -> "Program":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _children(self) -> list[psutil.Process]:
        self.processes()
        return [one for one in psutil.Process(self.process.pid).children() if runs(one)]

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def _file(self, name: str) -> Path:
        return self.folder / f"program.{name}"


def runs(process: psutil.Process) -> bool:
    """Whether that very process runs; a zombie that nobody has reaped does not."""
    # psutil compares start times: a process that has the pid now is not taken for the one that had it.
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _is_postgres(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.name() == "postgres")
    return False
