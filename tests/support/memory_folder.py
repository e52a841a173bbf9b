"""Where databases of tests lie: in memory, if this machine has a folder there with room enough.

A database that is made, copied and dropped costs most of its time in the disk, which no test is about.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 4 << 30  # a server for each process of the run, half a gigabyte each; a container has 64 MiB


def memory_folder() -> Path:
    """The folder in memory that all programs share; that for temporary files where there is none or too small
    a one, or where TMPDIR says that temporary files belong elsewhere.
    """
    if "TMPDIR" not in os.environ and _is_useful(_MEMORY):
        return _MEMORY
    return Path(tempfile.gettempdir())


def _is_useful(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    # Programs of PostgreSQL may be copied beside the data: they have to run there.
    has_room = found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC
    return has_room and os.access(folder, os.W_OK | os.X_OK)
