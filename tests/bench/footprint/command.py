"""`python -m tests.bench footprint`."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from tests.bench.footprint.installation import Installed, InstallFailed, installed
from tests.bench.footprint.memory import Memory, memory
from tests.bench.growth.measures import cold_start
from tests.bench.http.load import LoadFailed
from tests.bench.http.servers import ServerFailed
from tests.bench.options import add_usual, described
from tests.bench.report import aligned
from tests.bench.server import Server, database_server

DISTRIBUTIONS: Final = 16
MEGABYTES: Final = 25.0
START_SECONDS: Final = 0.6
IDLE_MEBIBYTES: Final = 50.0


def add_to(parts: Any) -> None:
    """Add this part to the parts of the rig."""
    parser: argparse.ArgumentParser = parts.add_parser(
        "footprint",
        help="distributions, megabytes, cold start, memory (under a minute)",
        description="Exits with 1 when --check finds a target missed, 2 when nothing could be measured.",
    )
    add_usual(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and give back the exit code."""
    try:
        with tempfile.TemporaryDirectory(prefix="starling-bench-") as folder:
            size = installed(Path(folder))
        with database_server(options.database_url) as server:
            start, used = asyncio.run(_measure(server))
    except (StartError, InstallFailed, ServerFailed, LoadFailed, OSError) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 2
    rows = _rows(size, start, used)
    misses = [f"{what}: {found:.2f}, target {most:g}" for what, found, most in rows if most and found > most]
    about = described({}, f"the server is the {server.cores}", "starts: median of 5")
    for name, value in about.items():
        print(f"{name}: {value}")
    cells = [[what, f"{found:.2f}", f"≤ {most:g}" if most else ""] for what, found, most in rows]
    print(f"\n{aligned([['', 'measured', 'target'], *cells])}\n")
    print(f"distributions: {', '.join(size.distributions)}")
    for miss in misses:
        print(f"target missed: {miss}")
    if options.json:
        told = {"about": about, "missed": misses, "found": {what: found for what, found, _ in rows}}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 1 if options.check and misses else 0


async def _measure(server: Server) -> tuple[tuple[float, float], Memory]:
    return await cold_start(server, 0, times=5), await memory(server)


def _rows(size: Installed, start: tuple[float, float], used: Memory) -> list[tuple[str, float, float | None]]:
    """What, how much, and how much at most."""
    return [
        ("distributions besides pip, setuptools and Starling", len(size.distributions), DISTRIBUTIONS),
        ("MB of site-packages with .pyc, without pip and setuptools", size.megabytes, MEGABYTES),
        ("MB of that are Starling's own", size.own_megabytes, None),
        ("seconds from start to ready, all modules, tables in place", start[0], START_SECONDS),
        ("seconds of CPU until then", start[1], None),
        ("MiB RSS of an idle worker", used.idle_rss, IDLE_MEBIBYTES),
        ("MiB PSS of an idle worker", used.idle_pss, None),
        ("MiB PSS of its parent", used.parent_pss, None),
        ("MiB RSS of a worker after the first sign-in", used.signed_in_rss, None),
        ("MiB RSS of a worker under load (R, 32 connections)", used.busy_rss, None),
        ("MiB PSS of a worker under load", used.busy_pss, None),
    ]
