"""The folder of the unix socket: mode 0700, and with a path that is short enough for a socket."""

import os
import re
import stat
import tempfile
from pathlib import Path

from app.core.errors import StartError
from app.server.embedded.account import Account
from app.server.embedded.folders import make_folder

PORT = 5432
"""A part of the socket's name: there is no TCP."""

SOCKET = f".s.PGSQL.{PORT}"
"""The name that clients look for."""

_FILES = (SOCKET, f"{SOCKET}.lock")
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, a closing zero included. The smaller one keeps a
# DATA_DIR portable.
_LONGEST_SOCKET_PATH = 103
# What neither the list of folders in PostgreSQL's setting nor the list of hosts in a URL gives a meaning to.
_PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
_PREFIX = "starling-"


def make_socket_folder(data_dir: Path, account: Account) -> Path:
    """A folder without sockets in it, owned by `account` and closed to everybody else.

    It lies in `data_dir`; elsewhere, under a name of its own, when that path is too long or has unusual
    characters.
    """
    inside = data_dir / "run"
    if not _is_suitable(inside):
        return _make_elsewhere(account)
    if inside.is_symlink() or inside.exists():
        found = inside.lstat()
        if (
            not stat.S_ISDIR(found.st_mode)
            or found.st_uid != account.uid
            or stat.S_IMODE(found.st_mode) & 0o077
        ):
            raise StartError(f"{inside} is not the socket folder that Starling made: move it away")
        clear_socket_folder(inside)
        return inside
    return _hand_over(make_folder(inside, mode=0o700), account)


def clear_socket_folder(folder: Path) -> None:
    """Remove the socket and its lock file, whose pid may be a stranger's by now. Only while no server uses
    them.
    """
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)


def remove_socket_folder(folder: Path, account: Account) -> None:
    """Remove a folder that `make_socket_folder` made, now or before a kill. One that is not `account`'s any
    more is left alone.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid:
        clear_socket_folder(folder)
        if not any(folder.iterdir()):
            folder.rmdir()


def _make_elsewhere(account: Account) -> Path:
    # The folder made there has a random name and mode 0700, so that it does not matter who else may write to
    # its parent.
    bases = [tempfile.gettempdir(), "/tmp"]  # noqa: S108
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and account.is_self:  # it is closed to the other user that postgres runs as under root
        bases.insert(0, runtime)
    for base in bases:
        if _is_suitable(Path(base, f"{_PREFIX}12345678")) and os.access(base, os.W_OK | os.X_OK):
            return _hand_over(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base)), account)
    raise StartError(
        f"the path of the database's socket would be longer than {_LONGEST_SOCKET_PATH} bytes or has unusual "
        "characters: set DATA_DIR or TMPDIR to a shorter, plain path"
    )


def _is_suitable(folder: Path) -> bool:
    path = str(folder / SOCKET)
    return len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH and _PLAIN.fullmatch(path) is not None


def _hand_over(folder: Path, account: Account) -> Path:
    if not account.is_self:
        os.chown(folder, account.uid, account.gid)
    return folder
