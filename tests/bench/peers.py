"""What Starling is compared with: versions, and environments to run them in.

Each peer has a virtual environment of its own outside of the repository, made once and used again until its
versions change. It gets the very asyncpg and uvloop that run Starling, and where it serves HTTP the same
uvicorn, httptools and PyJWT, so that only the peer differs."""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

PINS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlalchemy": ("SQLAlchemy[asyncio]==2.1.9",),
    "tortoise": ("tortoise-orm[asyncpg]==1.1.9",),
    "piccolo": ("piccolo[postgres]==1.38.0",),
    "fastapi-sqlalchemy": ("fastapi==0.165.0", "SQLAlchemy[asyncio]==2.1.9"),
    "fastapi-tortoise": ("fastapi==0.165.0", "tortoise-orm[asyncpg]==1.1.9"),
    "litestar": ("litestar==2.25.0", "advanced-alchemy==1.12.0", "SQLAlchemy[asyncio]==2.1.9"),
    "piccolo-crud": ("piccolo-api==1.11.0", "piccolo[postgres]==1.38.0"),
}

_SHARED: Final = ("asyncpg", "uvloop")
_SERVING: Final = ("uvicorn", "httptools", "PyJWT")
_OVER_HTTP: Final = frozenset({"fastapi-sqlalchemy", "fastapi-tortoise", "litestar", "piccolo-crud"})
_INSTALL_SECONDS: Final = 300


class PeerMissing(Exception):
    """A peer could not be installed. Its str is why."""


def default_folder() -> Path:
    """Where the environments are kept: `starling-bench` in the user's cache folder."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "starling-bench"


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of the environment of `peer` below `folder`, which is made when it is not there.

    Raises PeerMissing."""
    shared = (*_SHARED, *_SERVING) if peer in _OVER_HTTP else _SHARED
    wanted = (*PINS[peer], *_pins(shared))
    digest = hashlib.sha256(repr((sys.version, wanted)).encode()).hexdigest()[:12]
    home = folder / f"{peer}-{digest}"
    python = home / "bin" / "python"
    is_complete = home / "complete"
    if not is_complete.exists():
        try:
            venv.create(home, clear=True, symlinks=True)
            _install(python, wanted)
            is_complete.touch()
        except (OSError, subprocess.SubprocessError) as error:
            raise PeerMissing(_reason(error)) from error
    return python


def versions_of(peer: str, python: Path) -> dict[str, str]:
    """The versions of what `peer` is pinned to, by distribution."""
    names = [pin.partition("==")[0].partition("[")[0] for pin in PINS[peer]]
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(
        [python, "-c", code, *names], check=True, capture_output=True, text=True, timeout=60
    )
    return dict(zip(names, done.stdout.split(), strict=True))


def _pins(names: tuple[str, ...]) -> list[str]:
    pins = []
    for name in names:
        try:
            pins.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue  # uvloop is an extra: then nobody runs on it
    return pins


def _install(python: Path, requirements: tuple[str, ...]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", *requirements],
        check=True,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.strip().splitlines()
        return lines[-1] if lines else f"pip ended with {error.returncode}"
    return str(error)
