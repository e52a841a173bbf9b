"""`python -m tests.bench growth`."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from tests.bench.growth.measures import by_models, by_roles, by_rows, cold_start
from tests.bench.http.load import Load, LoadFailed
from tests.bench.http.servers import ServerFailed
from tests.bench.options import add_usual, described
from tests.bench.report import aligned
from tests.bench.server import Server, database_server

RATE: Final = 0.97
"""How much of its speed with 10 models a project with 1,000 has at least."""
START_SECONDS: Final = 1.0
"""From the start of the program to readiness, with 200 models."""

_ROWS: Final = (1_000, 10_000, 100_000, 1_000_000)


def add_to(parts: Any) -> None:
    """Add this part to the parts of the rig."""
    parser: argparse.ArgumentParser = parts.add_parser(
        "growth",
        help="with models, roles' rules and rows (under 3 minutes)",
        description="Exits with 1 when --check finds a target missed, 2 when nothing could be measured.",
    )
    add_usual(parser)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds to take the median of")
    parser.add_argument("--seconds", type=int, default=1, metavar="N", help="of one slice")
    parser.add_argument("--most-rows", type=int, default=_ROWS[-1], metavar="N", help="of the largest table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and give back the exit code."""
    try:
        with database_server(options.database_url) as server:
            found = asyncio.run(_measure(server, options))
    except (StartError, ServerFailed, LoadFailed, OSError) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 2
    misses = _misses(found)
    plan = f"medians of {options.rounds} rounds of {options.seconds} s"
    about = described({}, f"servers are the {server.cores}", plan)
    for name, value in about.items():
        print(f"{name}: {value}")
    print(_tables(found))
    for miss in misses:
        print(f"target missed: {miss}")
    if options.json:
        told = json.dumps({"about": about, "missed": misses, **found}, indent=2)
        options.json.write_text(told + "\n", encoding="utf-8")
    return 1 if options.check and misses else 0


async def _measure(server: Server, options: argparse.Namespace) -> dict[str, Any]:
    load = Load(server.cores.database)
    often = {"rounds": options.rounds, "seconds": options.seconds}
    with tempfile.TemporaryDirectory(prefix="starling-bench-") as name:
        folder = Path(name)
        return {
            "models": await by_models(server, load, folder, **often),
            "start": {count: await cold_start(server, count, times=5) for count in (0, 200)},
            "roles": await by_roles(server, load, folder, **often),
            "rows": await by_rows(server, tuple(count for count in _ROWS if count <= options.most_rows)),
        }


def _tables(found: dict[str, Any]) -> str:
    models = [["models besides the project's own", "requests/s", "CPU µs"]]
    models += [
        [f"{count:,}", f"{rate:,.0f}", f"{cpu:,.0f}"] for count, (rate, cpu) in found["models"].items()
    ]
    start = [["models besides the project's own", "start to ready, s", "of CPU"]]
    start += [[f"{count:,}", f"{took:.2f}", f"{cpu:.2f}"] for count, (took, cpu) in found["start"].items()]
    roles = [["roles, each with a list and a rule", "CPU µs of a request", "rights read in ms"]]
    roles += [[f"{count:,}", f"{cpu:,.0f}", f"{took:,.1f}"] for count, (cpu, took) in found["roles"].items()]
    rows = [["rows", "first pages of 100, ms", "last pages, ms"]]
    rows += [[f"{count:,}", f"{first:.2f}", f"{last:.2f}"] for count, (first, last) in found["rows"].items()]
    return "\n\n".join(["", *map(aligned, (models, start, roles, rows)), ""])


def _misses(found: dict[str, Any]) -> list[str]:
    misses = []
    ratio = found["models"][1000][0] / found["models"][10][0]
    if round(ratio, 2) < RATE:
        misses.append(f"requests/s with 1,000 models are {ratio:.2f} of those with 10, target {RATE}")
    took = found["start"][200][0]
    if took > START_SECONDS:
        misses.append(f"start with 200 models: {took:.2f} s, target {START_SECONDS:g}")
    return misses
