"""A limit on the memory of a group of processes, page cache included: a control group of Linux (1 or 2)."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path("/sys/fs/cgroup")


class MemoryLimit:
    """Processes join it by `join`, and their children with them."""

    def __init__(self, folder: Path, *, is_v2: bool) -> None:
        self._folder = folder
        self._is_v2 = is_v2

    def join(self, pid: int) -> None:
        """That process, and all that it starts from now on, share the limit."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    @property
    def peak_mb(self) -> float:
        """The most that they had in use together."""
        name = "memory.peak" if self._is_v2 else "memory.max_usage_in_bytes"
        return int((self._folder / name).read_text()) / 1e6

    @property
    def kills(self) -> int:
        """How many of them were killed for want of memory."""
        text = (self._folder / ("memory.events" if self._is_v2 else "memory.oom_control")).read_text()
        counts = dict(line.split() for line in text.splitlines())
        return int(counts["oom_kill"])


@contextmanager
def memory_limit(megabytes: int) -> Iterator[MemoryLimit]:
    """A group that may use so much. Skips the test where none can be made."""
    is_v2 = (_ROOT / "cgroup.controllers").exists()
    parent = _ROOT if is_v2 else _ROOT / "memory"
    folder = parent / f"starling-test-{secrets.token_hex(6)}"
    limit = folder / ("memory.max" if is_v2 else "memory.limit_in_bytes")
    try:
        folder.mkdir()
        limit.write_text(str(megabytes * 1024 * 1024))
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield MemoryLimit(folder, is_v2=is_v2)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Once its processes are gone, which the kernel notes a moment later."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return os.rmdir(folder)  # noqa: PTH106  # a folder of the kernel's: its files go with it
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
