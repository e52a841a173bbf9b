"""The lock that lets one `serve` at a time work in a DATA_DIR."""

import fcntl
import os
from pathlib import Path


class LockedError(Exception):
    """Somebody else holds the lock."""


class FolderLock:
    """An flock on a file, held until `release` or the end of the process, however it ends.

    The file stays: removing it would let two processes hold locks on two files of the same name. Its content
    means nothing.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises LockedError when it is taken, OSError when the file cannot be made."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise LockedError(f"{path} is locked") from error

    def release(self) -> None:
        """Let go, for every copy of the descriptor in forked children too."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)

    def close_copy(self) -> None:
        """Forget the lock in a forked child, which would otherwise hold it on after its parent was killed."""
        os.close(self._descriptor)
