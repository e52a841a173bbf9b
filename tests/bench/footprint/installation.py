"""Starling without extras in an environment of its own: how much that is."""

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]

_SECONDS: Final = 300
_STARLING: Final = ("app", "orm", "services", "sql", "starling")
_NOT_OURS: Final = ("pip", "setuptools", "_distutils_hack", "distutils-precedence.pth", "pkg_resources")


class InstallFailed(Exception):
    """It could not be installed. Its str is why."""


@dataclass(frozen=True)
class Installed:
    """The distributions besides pip, setuptools and Starling; megabytes of all but pip and setuptools, and
    of Starling's own among them."""

    distributions: list[str]
    megabytes: float
    own_megabytes: float


def installed(folder: Path) -> Installed:
    """What `pip install` of this repository brings along, in a new environment in `folder`."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    # not editable: what is measured is what a user gets
    _run([*pip, "install", "--quiet", str(ROOT)])
    _run([str(python), "-m", "compileall", "-q", str(folder / "lib")])
    listed = json.loads(_run([*pip, "list", "--format", "json"]))
    names = sorted(one["name"] for one in listed if one["name"] not in ("pip", "setuptools", "starling"))
    (packages,) = folder.glob("lib/python*/site-packages")
    sizes = {
        entry.name: _bytes(entry) for entry in packages.iterdir() if not entry.name.startswith(_NOT_OURS)
    }
    own = sum(size for name, size in sizes.items() if name.startswith(_STARLING))
    return Installed(names, sum(sizes.values()) / 1e6, own / 1e6)


def _bytes(entry: Path) -> int:
    files = [entry] if entry.is_file() else entry.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise InstallFailed((done.stderr or done.stdout).strip()[-500:])
    return done.stdout
