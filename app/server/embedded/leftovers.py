"""What a killed start left behind: known by a record, made harmless before the next server starts.

The record is server.json in DATA_DIR. The caller holds the lock of DATA_DIR: the owner in the record is gone,
its postgres may not be.
"""

import os
import signal
import time
from pathlib import Path

import msgspec

from app.core.errors import StartError
from app.server.embedded.cluster import Cluster, Pause
from app.server.embedded.folders import write_file
from app.server.embedded.socket_folder import remove_socket_folder
from app.server.processes import ProcessIdentity, running_in

_POLL_SECONDS = 0.01
_PROGRAM = "postgres"
STOP_STEPS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""How to stop postgres: a signal, and the seconds to wait for its effect.

SIGINT stops it cleanly, which takes milliseconds; but while it recovers from a crash, PostgreSQL 18 forgets
that it was asked and waits for ever. SIGQUIT stops it at once, and the next start recovers the rest.
"""

_CHILDREN_SECONDS = 10.0


class Record(msgspec.Struct, frozen=True):
    """Who runs the server of a DATA_DIR, and where its socket is."""

    owner: ProcessIdentity
    postgres: ProcessIdentity
    socket_folder: str


def read_record(data_dir: Path) -> Record | None:
    """The record; None when there is none. One that cannot be read says nothing either."""
    try:
        return msgspec.json.decode(_record_path(data_dir).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def write_record(data_dir: Path, postgres_pid: int, socket_folder: Path) -> None:
    """Note that this process runs that postgres. Nothing is noted of one that has ended already."""
    owner, postgres = ProcessIdentity.of(os.getpid()), ProcessIdentity.of(postgres_pid)
    if owner is not None and postgres is not None:
        record = Record(owner, postgres, str(socket_folder))
        write_file(_record_path(data_dir), msgspec.json.encode(record).decode(), mode=0o600)


def remove_record(data_dir: Path) -> None:
    """Nobody runs the server any more."""
    _record_path(data_dir).unlink(missing_ok=True)


def clear_leftovers(cluster: Cluster, pause: Pause) -> None:
    """Stop an orphaned postgres of this cluster, leave a stranger with its pid alone, remove its socket."""
    record = read_record(cluster.data_dir)
    pid = cluster.pid_in_file()
    namesake = None if pid is None else ProcessIdentity.of(pid)
    if record is not None and record.postgres.is_alive():
        _stop_orphan(record.postgres, pause)
    elif namesake is not None and namesake.runs(_PROGRAM, cluster.folder):
        _stop_orphan(namesake, pause)  # its owner was killed before it could write the record
    wait_for_children(cluster, pause)
    # Nobody uses the cluster any more, but postgres would refuse to start for as long as anything has the pid
    # in the file: a stranger to whom the kernel gave it, a zombie that nobody reaps; or if the file is empty.
    cluster.remove_pid_file()
    if record is not None:
        remove_socket_folder(Path(record.socket_folder), cluster.account)
        remove_record(cluster.data_dir)


def wait_for_children(cluster: Cluster, pause: Pause) -> None:
    """Wait until the processes of a postgres that was killed have noticed it and ended.

    It takes them moments. They are not ours to kill, and need not be: a new postgres refuses to start while
    they hold the old one's memory.
    """
    deadline = time.monotonic() + _CHILDREN_SECONDS
    while running_in(_PROGRAM, cluster.folder) and time.monotonic() < deadline:
        pause(_POLL_SECONDS)


def _stop_orphan(postgres: ProcessIdentity, pause: Pause) -> None:
    for signum, seconds in STOP_STEPS:
        postgres.send(signum)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not postgres.is_alive():
                return
            pause(_POLL_SECONDS)
    raise StartError(
        f"the PostgreSQL of an earlier start (process {postgres.pid}) does not end: end it by hand"
    )


def _record_path(data_dir: Path) -> Path:
    return data_dir / "server.json"
