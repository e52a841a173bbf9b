import os
from pathlib import Path

import pytest

from app.server.lock import FolderLock, LockedError


def test_a_lock_that_is_held_cannot_be_taken_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "lock")
    with pytest.raises(LockedError):
        FolderLock(tmp_path / "lock")
    lock.release()
    FolderLock(tmp_path / "lock").release()


def test_a_lock_ends_with_the_process_that_holds_it_whatever_its_children_do(tmp_path: Path) -> None:
    go_read, go_write = os.pipe()
    done_read, done_write = os.pipe()
    holder = os.fork()
    if holder == 0:
        lock = FolderLock(tmp_path / "lock")
        if os.fork() == 0:
            lock.close_copy()
            os.close(go_write)
            os.write(done_write, b"x")
            os.read(go_read, 1)  # lives on until the test has seen enough
        os._exit(0)
    os.close(go_read)
    try:
        os.read(done_read, 1)
        os.waitpid(holder, 0)
        FolderLock(tmp_path / "lock").release()
    finally:
        for descriptor in (go_write, done_read, done_write):
            os.close(descriptor)


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"):
        FolderLock(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_the_lock_s_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    FolderLock(tmp_path / "lock").release()
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
