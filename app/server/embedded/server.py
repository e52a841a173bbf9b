"""One embedded server over its life: cleared of what a kill left, started, watched, stopped."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.errors import StartError
from app.server.embedded.account import Account, choose_account, unreachable_part
from app.server.embedded.binaries import find_binaries
from app.server.embedded.cluster import APPLICATION_ROLE, DATABASE, Cluster, Pause
from app.server.embedded.folders import make_data_dir
from app.server.embedded.leftovers import (
    STOP_STEPS,
    clear_leftovers,
    read_record,
    remove_record,
    wait_for_children,
    write_record,
)
from app.server.embedded.log_file import LogFile
from app.server.embedded.socket_folder import (
    PORT,
    clear_socket_folder,
    make_socket_folder,
    remove_socket_folder,
)
from app.server.lock import FolderLock, LockedError

_POLL_SECONDS = 0.01
# Recovery after a crash replays at most max_wal_size of log: seconds on a disk, minutes on an SD card.
_READY_SECONDS = 300


class EmbeddedPostgres:
    """PostgreSQL in `data_dir`, as a child of this process.

    `claim` reserves DATA_DIR, `open` starts the server and returns at once, `wait_until_ready` waits for it,
    `close` ends all that; as a context manager it is ready inside the block. `pause(seconds)` does the
    waiting and may raise to give up. The process should have a single thread when it opens one: programs are
    started by fork, with a few lines of Python before the exec.
    """

    def __init__(
        self, data_dir: Path, *, max_connections: int, is_durable: bool = True, pause: Pause = time.sleep
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._max_connections = max_connections
        self._is_durable = is_durable
        self._pause = pause
        self._cleanup = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def claim(self) -> None:
        """Make sure that a server can run in DATA_DIR, and that it is ours until `close`. Makes the folder.

        Raises StartError when another process runs one, when no binaries are installed, or when the folder
        cannot serve.
        """
        with self._explained(), contextlib.ExitStack() as cleanup:
            self._claim(cleanup)
            self._cleanup = cleanup.pop_all()

    def open(self) -> None:
        """Start the server in a claimed folder, on a new cluster if there is none. Raises StartError."""
        with self._explained():
            clear_leftovers(self._cluster, self._pause)
            self._log = LogFile(self._data_dir / "postgres.log")
            self._cleanup.callback(self._log.close)
            self._cluster.ensure(self._log.descriptor, self._pause)
            self._socket_folder = make_socket_folder(self._data_dir, self._cluster.account)
            self._cleanup.callback(remove_socket_folder, self._socket_folder, self._cluster.account)
            self._cleanup.callback(remove_record, self._data_dir)
            self._cleanup.callback(self._stop)
            self._spawn()

    def wait_until_ready(self) -> None:
        """Return when it accepts connections. Raises StartError with its last words when it ends instead."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._cluster.is_ready(self.process.pid, self._socket_folder):
            if self.process.poll() is not None:
                raise StartError(f"the embedded PostgreSQL did not start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise StartError(
                    f"the embedded PostgreSQL was not ready in {_READY_SECONDS} s: {self.last_words()}"
                )
            self._pause(_POLL_SECONDS)

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections now."""
        return self._process is not None and self._cluster.is_ready(self._process.pid, self._socket_folder)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The postgres that runs, or ran last. Raises RuntimeError before `open`."""
        if self._process is None:
            raise RuntimeError("the embedded PostgreSQL was not opened")
        return self._process

    def url(self, *, role: str = APPLICATION_ROLE, database: str = DATABASE) -> str:
        """How to connect; good for as long as the server is open, restarts included."""
        return _url(self._socket_folder, role, database)

    def restart(self) -> None:
        """Start it again after it ended on its own: it recovers by itself. Returns before it is ready."""
        with self._explained():
            wait_for_children(self._cluster, self._pause)
            self._cluster.remove_pid_file()
            self._spawn()

    def last_words(self) -> str:
        """The last line of its log, and where to read the others."""
        return f"{self._log.last_line()} (see {self._data_dir / 'postgres.log'})"

    def trim_log(self) -> None:
        """Keep its log bounded; to be called now and then."""
        self._log.trim()

    def forget_in_child(self) -> None:
        """Let go of everything in a fork of this process, which owns neither the server nor the lock."""
        self._cleanup.pop_all()
        self._lock.close_copy()
        self._log.close()

    def close(self) -> None:
        """Stop it, cutting off whoever is still connected, and let DATA_DIR go. May be called at any time."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        try:
            self.claim()
            self.open()
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _claim(self, cleanup: contextlib.ExitStack) -> None:
        binaries = find_binaries()
        _check_reach(self._data_dir, choose_account(self._data_dir / "postgres"))
        make_data_dir(self._data_dir)
        self._lock = _take_lock(self._data_dir)
        cleanup.callback(self._lock.release)
        account = choose_account(self._data_dir / "postgres")  # once more: now nobody else can make a cluster
        self._cluster = Cluster(
            data_dir=self._data_dir,
            binaries=binaries.usable_by(account, self._data_dir),
            account=account,
            max_connections=self._max_connections,
            is_durable=self._is_durable,
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StartError(
                f"DATA_DIR is {self._data_dir}, where no database can be run: {error}"
            ) from error

    def _spawn(self) -> None:
        clear_socket_folder(self._socket_folder)
        self._process = self._cluster.start(self._socket_folder, self._log.descriptor)
        write_record(self._data_dir, self._process.pid, self._socket_folder)

    def _stop(self) -> None:
        if self._process is None:
            return
        is_ready = self._cluster.is_ready(self._process.pid, self._socket_folder)
        for signum, seconds in STOP_STEPS if is_ready else STOP_STEPS[1:]:
            self._process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                return


def running_database_url(
    data_dir: Path, *, role: str = APPLICATION_ROLE, database: str = DATABASE
) -> str | None:
    """How to connect to the embedded server that another process runs in `data_dir`; None when none does."""
    record = read_record(data_dir.resolve())
    if record is None or not record.owner.is_alive() or not record.postgres.is_alive():
        return None
    return _url(Path(record.socket_folder), role, database)


def _url(socket_folder: Path, role: str, database: str) -> str:
    return f"postgresql://{role}@/{database}?host={socket_folder}&port={PORT}"  # or else PGPORT would count


def _take_lock(data_dir: Path) -> FolderLock:
    try:
        return FolderLock(data_dir / "lock")
    except LockedError:
        record = read_record(data_dir)
        owner = f"process {record.owner.pid}" if record is not None else "a process that is just starting"
        raise StartError(
            f"DATA_DIR is {data_dir}, in which another Starling runs already ({owner}): "
            "stop that one, or set DATA_DIR to another folder"
        ) from None


def _check_reach(data_dir: Path, account: Account) -> None:
    blocked = unreachable_part(data_dir / "postgres", account)
    if blocked is not None:
        raise StartError(
            f"DATA_DIR is {data_dir}; PostgreSQL does not run as root, and user {account.uid}, which it runs "
            f"as, cannot enter {blocked}: set DATA_DIR to a folder that others may pass through, such as "
            "/var/lib/starling, start as an ordinary user, or set DATABASE__URL to a PostgreSQL server"
        )
