"""What the parts of the rig have in common on the command line and above their tables."""

import argparse
import datetime as dt
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.bench.peers import default_folder


class NothingMeasured(Exception):
    """The run came to nothing. Its str says why."""


def add_usual(parser: argparse.ArgumentParser, *, has_peers: bool = False) -> None:
    """Add the options that every part takes; where to keep the peers only where it has some."""
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("TEST_DATABASE_URL"),
        metavar="URL",
        help="a server on which a database may be made; default: TEST_DATABASE_URL, or an embedded one",
    )
    if has_peers:
        parser.add_argument(
            "--venv",
            type=Path,
            default=default_folder(),
            metavar="DIR",
            help="where the peers are installed, once; default: starling-bench in the user's cache folder",
        )


def names_of(known: Iterable[str], *, always: str) -> Callable[[str], list[str]]:
    """A type for arguments: names separated by commas, of the known ones, in their order; `always` is one."""

    def parsed(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r}: there are {', '.join(known)}")
        return [name for name in known if name in names or name == always]

    return parsed


def described(versions: Mapping[str, str], cores: str, plan: str) -> dict[str, str]:
    """What a reader of figures wants to know beside them, by name."""
    found = [f"Python {platform.python_version()}", *(f"{name} {one}" for name, one in versions.items())]
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return {
        "command": f"python -m tests.bench {shlex.join(sys.argv[1:])}",
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": ", ".join(found),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores; {cores}{load}",
        "plan": plan,
    }
