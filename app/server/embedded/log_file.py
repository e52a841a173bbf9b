"""The file that takes what a child process says, bounded in size."""

import os
import shutil
from pathlib import Path

_LARGEST_BYTES = 4 * 1024 * 1024


class LogFile:
    """`path` for writing by others through `descriptor`, and what was there before as `path`.1; both mode
    0600.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._old = path.with_name(f"{path.name}.1")
        if path.exists():
            path.replace(self._old)
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)

    def trim(self) -> None:
        """Move the content to `path`.1 once it has grown beyond 4 MiB.

        The file is copied and emptied, not renamed, because its writer holds it open; what the writer says in
        that instant is lost. That is why it writes in append mode: it goes on at the new end.
        """
        if os.fstat(self.descriptor).st_size > _LARGEST_BYTES:
            self._old.unlink(missing_ok=True)
            shutil.copy(self._path, self._old)
            os.ftruncate(self.descriptor, 0)

    def last_line(self) -> str:
        """What was said last, without the time and the pid before it; empty when nothing was."""
        with self._path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].partition("] ")[2] or lines[-1] if lines else ""

    def close(self) -> None:
        """Close our end; children keep theirs."""
        os.close(self.descriptor)
