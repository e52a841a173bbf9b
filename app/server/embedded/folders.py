"""Folders of our own: made with their final mode, and removed without following links."""

import os
import shutil
from pathlib import Path

from app.core.errors import StartError
from app.core.private_files import folder_mode


def make_folder(path: Path, *, mode: int) -> Path:
    """Make a new folder of exactly that mode, whatever the umask. Raises FileExistsError rather than touch an
    existing one.
    """
    # The umask is the process's: nothing else runs in it while the server is being started.
    umask = os.umask(0o777 & ~mode)
    try:
        path.mkdir(mode=mode)
    finally:
        os.umask(umask)
    return path


def make_data_dir(path: Path) -> Path:
    """The absolute path of DATA_DIR, made with its parents if it was missing.

    New folders get the mode that `private_files` gives them, too. Existing ones are left as they are. Raises
    StartError when there is no way.
    """
    whole = path.absolute()
    mode = folder_mode()
    try:
        for folder in reversed([whole, *whole.parents]):
            if not folder.exists():
                make_folder(folder, mode=mode)
        if not whole.is_dir():
            raise StartError(f"DATA_DIR is {whole}, which is not a folder: set DATA_DIR to a folder")
        if not os.access(whole, os.W_OK | os.X_OK):
            raise StartError(
                f"DATA_DIR is {whole}, which this user may not write to: set DATA_DIR to a folder that it may"
            )
        return whole.resolve()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(
            f"DATA_DIR is {whole}, which cannot be used ({reason}): set DATA_DIR to another folder"
        ) from error


def change_owner(tree: Path, uid: int, gid: int) -> None:
    """Give a folder of ours and all that is in it to `uid` and `gid`. Links are changed themselves, never
    followed.
    """
    for _, folders, files, descriptor in os.fwalk(tree):
        os.fchown(descriptor, uid, gid)
        for name in (*folders, *files):
            os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)


def remove_tree(path: Path) -> None:
    """Remove a folder of ours and all that is in it; fine when it is gone already."""
    if path.is_dir():
        shutil.rmtree(path)


def write_file(path: Path, text: str, *, mode: int) -> None:
    """Put `text` where `path` is, whole or not at all. A new file takes its place, even that of a link."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    umask = os.umask(0o777 & ~mode)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    finally:
        os.umask(umask)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    temporary.rename(path)
