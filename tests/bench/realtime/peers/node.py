"""socket.io and what it needs, in a folder of their own: installed once for these versions."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

PINS: Final = ("socket.io@4.8.4", "@socket.io/postgres-adapter@0.5.0", "pg@8.23.1")
_INSTALL_SECONDS: Final = 180


def node_modules(cache: Path) -> Path:
    """The folder `node_modules` below `cache`. Raises OSError without npm, SubprocessError when it fails."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise FileNotFoundError("node and npm are not there")
    home = cache / f"socketio-{hashlib.sha256(repr(PINS).encode()).hexdigest()[:12]}"
    done = home / "complete"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        subprocess.run(
            [npm, "install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts", *PINS],
            check=True,
            capture_output=True,
            timeout=_INSTALL_SECONDS,
        )
        done.touch()
    return home / "node_modules"


def node_version(modules: Path) -> dict[str, str]:
    """Of node and of socket.io."""
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    package = json.loads((modules / "socket.io" / "package.json").read_text(encoding="utf-8"))
    return {"node": node, "socket.io": package["version"]}
