"""`python -m tests.bench http`."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from tests.bench.http import extras, tables
from tests.bench.http.entrants import BASE, ENTRIES, Entrants
from tests.bench.http.load import Load, Loaded, LoadFailed
from tests.bench.http.run import Plan, Run
from tests.bench.http.servers import ServerFailed
from tests.bench.http.shape import CASES, PRODUCTS
from tests.bench.http.world import world
from tests.bench.options import NothingMeasured, add_usual, described, names_of
from tests.bench.report import Figure, Sample, figures_of
from tests.bench.server import Server, database_server
from tests.support.databases import fresh_database

_SERVED_BY: Final = ("starlette", "uvicorn", "asyncpg", "msgspec", "PyJWT", "uvloop", "httptools")
_MOST_SECONDS: Final = 240


@dataclass
class Outcome:
    """What a run found, and about what."""

    figures: dict[str, dict[str, Figure]]
    samples: dict[str, dict[str, list[Sample]]]
    round_trips: dict[str, dict[str, float]]
    latencies: dict[str, Loaded]
    variants: dict[str, Sample]
    versions: dict[str, str]
    notes: list[str] = field(default_factory=list)
    rounds: int = 0
    generator: str = ""


def add_to(parts: Any) -> None:
    """Add this part to the parts of the rig."""
    parser: argparse.ArgumentParser = parts.add_parser(
        "http",
        help="the API against a hand-written service and four frameworks (about 4 minutes)",
        description="Exits with 1 when --check finds a target missed, 2 when nothing could be measured.",
    )
    add_usual(parser, has_peers=True)
    parser.add_argument(
        "--only",
        type=names_of(ENTRIES, always="limit"),
        default=list(ENTRIES),
        metavar="NAMES",
        help=f"contestants, separated by commas, of {', '.join(ENTRIES)}; limit is always among them",
    )
    parser.add_argument(
        "--cases",
        type=names_of(CASES, always="R"),
        default=list(CASES),
        metavar="CASES",
        help=f"of {', '.join(CASES)}; R is always among them",
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds to take the median of")
    parser.add_argument("--seconds", type=int, default=1, metavar="N", help="of one slice")
    parser.add_argument("--products", type=int, default=PRODUCTS, metavar="N", help="rows of the table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and give back the exit code."""
    try:
        with database_server(options.database_url, max_connections=120) as server:
            outcome = asyncio.run(_measure(server, options))
    except (StartError, ServerFailed, NothingMeasured, OSError) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 2
    misses = tables.misses(outcome.figures, outcome.samples, outcome.round_trips, outcome.latencies)
    if outcome.variants:
        misses += tables.token_misses(outcome.variants)
    about = _about(server, options, outcome)
    for name, value in about.items():
        print(f"{name}: {value}")
    print(tables.printed(outcome.figures, outcome.samples, outcome.round_trips, outcome.latencies))
    if outcome.variants:
        print(tables.printed_variants(outcome.variants))
    for note in outcome.notes:
        print(f"note: {note}")
    for miss in misses:
        print(f"target missed: {miss}")
    if options.json:
        found = {"about": about, "missed": misses, **asdict(outcome)}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if options.check and misses else 0


async def _measure(server: Server, options: argparse.Namespace) -> Outcome:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="starling-bench-")))
        url = await stack.enter_async_context(fresh_database(server.url))
        ours = await stack.enter_async_context(world(url, server.cores, options.products))
        entrants = Entrants(ours, server.cores, options.venv)
        contestants = [one for name in options.only if (one := await entrants.enter(name, stack))]
        load = Load(server.cores.database)
        plan = Plan(options.rounds, options.seconds, _MOST_SECONDS, tuple(options.cases))
        run = Run(ours, load, plan, folder, entrants.notes)
        samples = await run.measured(contestants) if contestants else {}
        if any(BASE not in found for found in samples.values()) or not samples:
            raise NothingMeasured(f"there is nothing to compare with: {'; '.join(run.notes)}")
        figures = figures_of(samples, base=BASE)
        rates = {name: 1e6 / figure.wall for name, figure in figures["R"].items()}
        latencies = await run.latencies([one for one in contestants if one.title in rates], rates)
        variants: dict[str, Sample] = {}
        try:
            asked = await extras.variants(ours, folder)
            variants = await extras.measured(
                ours, load, asked, rounds=plan.rounds, seconds=plan.slice_seconds
            )
        except LoadFailed as error:
            run.notes.append(f"Starling alone: {error}")
        versions = {"PostgreSQL": await ours.connection.fetchval("SHOW server_version")}
        versions |= _versions() | entrants.versions
        return Outcome(
            figures,
            samples,
            entrants.round_trips,
            latencies,
            variants,
            versions,
            run.notes,
            run.rounds,
            load.name,
        )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _SERVED_BY:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _about(server: Server, options: argparse.Namespace, outcome: Outcome) -> Mapping[str, str]:
    seconds = options.seconds
    plan = (
        f"{options.products:,} products; medians of {outcome.rounds} rounds of {seconds} s a cell; "
        f"32 connections by {outcome.generator}"
    )
    return described(outcome.versions, f"servers are the {server.cores}", plan)
