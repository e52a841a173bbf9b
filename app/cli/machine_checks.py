"""What `starling doctor` looks at on the machine itself: folder, disk, limits, the embedded server."""

import os
import resource
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from app.cli.finding import Finding, fail, ok, warn
from app.core.errors import StartError
from app.project_setup import Settings
from app.server.embedded import running_database_url
from app.server.embedded.binaries import find_binaries

_LITTLE_DISK_BYTES = 1_000_000_000
_NO_DISK_BYTES = 100_000_000
# Beside a connection each, a worker opens some 60 files: its pool, its loop, its modules' own.
_FILES_BESIDE = 100


def machine_checks(settings: Settings) -> Iterator[Finding]:
    """One finding for each."""
    yield _folder(settings.data_dir)
    yield from _private_files(settings.data_dir)
    yield _disk(settings.data_dir)
    yield _files(settings)
    yield _embedded(settings)


def _folder(data_dir: Path) -> Finding:
    if not data_dir.exists():
        above = next(parent for parent in data_dir.resolve().parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            return ok("data_dir", f"{data_dir} is made at the first start")
        return fail("data_dir", f"{data_dir} cannot be made", f"set DATA_DIR, or let this user write {above}")
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        return fail("data_dir", f"this user cannot work in {data_dir}", "run as its owner, or set DATA_DIR")
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if mode & 0o022:
        return warn("data_dir", f"others may write to {data_dir} ({mode:o})", f"chmod go-w {data_dir}")
    return ok("data_dir", f"{data_dir} is there and ours")


def _private_files(data_dir: Path) -> Iterator[Finding]:
    for file in sorted(data_dir.glob("*")) if os.access(data_dir, os.R_OK | os.X_OK) else ():
        is_secret = file.is_file() and ("secret" in file.name or "password" in file.name)
        if is_secret and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield fail("secrets", f"others may read {file}", f"chmod 600 {file}, and make a new secret")


def _disk(data_dir: Path) -> Finding:
    place = next(folder for folder in (data_dir, *data_dir.resolve().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free // 1_000_000:,} MB are free where DATA_DIR is"
    if free < _NO_DISK_BYTES:
        return fail("disk", detail, "make room: a database that cannot write stops")
    if free < _LITTLE_DISK_BYTES:
        return warn("disk", detail, "make room before it is needed")
    return ok("disk", detail)


def _files(settings: Settings) -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    wanted = settings.http.max_connections_per_address + settings.database.pool_max + _FILES_BESIDE
    if limit != resource.RLIM_INFINITY and limit < wanted:
        return warn(
            "files",
            f"a process may open {limit} files, and one address alone may make it want {wanted}",
            f"ulimit -n {wanted * 2} (LimitNOFILE= in systemd), or lower HTTP__MAX_CONNECTIONS_PER_ADDRESS",
        )
    return ok("files", "a process may open enough files")


def _embedded(settings: Settings) -> Finding:
    if settings.database.url is not None:
        return ok("embedded", "not used: DATABASE__URL is set")
    try:
        find_binaries()
    except StartError as error:
        return fail("embedded", str(error), "install it, or set DATABASE__URL")
    is_running = running_database_url(settings.data_dir) is not None
    return ok("embedded", "the embedded server runs" if is_running else "installed, and does not run now")
