"""Files in DATA_DIR that nobody but this user may read: whole or not there, never readable for a
moment."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import StartError

_FILE_MODE = 0o600


def folder_mode() -> int:
    """Of a new DATA_DIR: 0700; as root 0711, because the embedded database runs as another user and must
    get through."""
    return 0o711 if os.geteuid() == 0 else 0o700


def create_private_file(path: Path, text: str) -> bool:
    """Whether `path` was made here, with `text` in it; False when there was such a file already.

    Of several processes that try at the same time one makes it. Raises StartError when none can.
    """
    with _explained(path):
        _make_folder(path.parent)
        written = _write_beside(path, text)
        try:
            # A link, unlike a rename, does not replace what is there.
            os.link(written, path)
        except FileExistsError:
            return False
        finally:
            written.unlink()
        return True


def replace_private_file(path: Path, text: str) -> None:
    """Make `path` with `text` in it, in place of what was there. Raises StartError when that cannot be."""
    with _explained(path):
        _make_folder(path.parent)
        written = _write_beside(path, text)
        try:
            written.replace(path)
        except OSError:
            written.unlink()
            raise


def _make_folder(folder: Path) -> None:
    """Make what is missing of a folder and its parents, not to be listed by others; what exists stays as
    it is."""
    missing = [parent for parent in (folder, *folder.absolute().parents) if not parent.exists()]
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):  # made by another worker at this very moment
            each.mkdir(mode=0o700)
            each.chmod(folder_mode())  # ours since a moment ago; a umask would have counted in mkdir


def _write_beside(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, _FILE_MODE)  # a umask may have taken bits away, never added any
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        beside.unlink()
        raise
    return beside


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(
            f"DATA_DIR: {path} cannot be written ({reason}): "
            "set DATA_DIR to a folder that this user may write to"
        ) from error
