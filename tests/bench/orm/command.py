"""`python -m tests.bench orm`."""

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from tests.bench.options import NothingMeasured, add_usual, described, names_of
from tests.bench.orm.common import CASES
from tests.bench.orm.rival import Rival, RivalFailed, started
from tests.bench.orm.run import FULL, QUICK, Plan, Run, tables
from tests.bench.peers import PeerMissing, python_of
from tests.bench.report import Figure, figures_of, missed, table
from tests.bench.server import Server, database_server
from tests.support.databases import fresh_database

TARGETS: Final = {"get": 0.85, "search": 0.75, "joined": 0.80, "insert": 0.85, "insert_many": 0.90}
"""What DotORM is to reach of hand-written asyncpg: the targets of the project for its ORM. The other cases
are shown without one."""

_MODULES: Final = "tests.bench.orm.contestants"


@dataclass(frozen=True)
class Entry:
    """A contestant: its title in the table, its module, and the peer whose environment it needs."""

    title: str
    module: str
    peer: str | None = None


ENTRIES: Final = {
    "raw": Entry("asyncpg, held and prepared", f"{_MODULES}.raw"),
    "pool": Entry("asyncpg, its own pool", f"{_MODULES}.raw_pool"),
    "starling": Entry("Starling", f"{_MODULES}.starling"),
    "sqlalchemy": Entry("SQLAlchemy", f"{_MODULES}.sqlalchemy", "sqlalchemy"),
    "tortoise": Entry("Tortoise", f"{_MODULES}.tortoise", "tortoise"),
    "piccolo": Entry("Piccolo", f"{_MODULES}.piccolo", "piccolo"),
}
BASE: Final = ENTRIES["raw"].title
OURS: Final = ENTRIES["starling"].title


@dataclass
class Outcome:
    """What a run found, and about what."""

    figures: dict[str, dict[str, Figure]]
    versions: dict[str, str]
    notes: list[str]
    rounds: int


def add_to(parts: Any) -> None:
    """Add this part to the parts of the rig."""
    parser: argparse.ArgumentParser = parts.add_parser(
        "orm",
        help="DotORM against raw asyncpg, SQLAlchemy, Tortoise and Piccolo (under 4 minutes)",
        description="Exits with 1 when --check finds a target missed, 2 when nothing could be measured.",
    )
    parser.add_argument("--quick", action="store_true", help="short slices: under a minute, and noisier")
    add_usual(parser, has_peers=True)
    parser.add_argument(
        "--only",
        type=names_of(ENTRIES, always="raw"),
        default=list(ENTRIES),
        metavar="NAMES",
        help=f"contestants, separated by commas, of {', '.join(ENTRIES)}; raw is always among them",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds to take the median of")
    parser.add_argument("--rows", type=int, metavar="N", help="products in the table; default: 100,000")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and give back the exit code."""
    plan = QUICK if options.quick else FULL
    plan = replace(plan, rounds=options.rounds or plan.rounds, rows=options.rows or plan.rows)
    try:
        with database_server(options.database_url) as server:
            outcome = asyncio.run(_measure(server, options, plan))
    except (StartError, NothingMeasured, OSError) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 2
    misses = missed(outcome.figures, TARGETS, contestant=OURS) if OURS in _titles(options) else []
    about = _about(server, plan, outcome)
    _print(outcome, about, misses)
    if options.json:
        found = {"about": about, "targets": TARGETS, "missed": misses, **asdict(outcome)}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if options.check and misses else 0


def _titles(options: argparse.Namespace) -> set[str]:
    return {ENTRIES[name].title for name in options.only}


async def _measure(server: Server, options: argparse.Namespace, plan: Plan) -> Outcome:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(server.url))
        connection = await stack.enter_async_context(tables(url, plan.rows))
        run = Run(connection, plan)
        rivals: list[Rival] = []
        for name in options.only:
            try:
                rivals.append(await _enter(stack, ENTRIES[name], url, server, options.venv))
            except (PeerMissing, RivalFailed) as error:
                run.notes.append(f"{ENTRIES[name].title} is missing: {error}")
        rivals = await run.checked(rivals)
        samples = await run.measured(rivals) if rivals else {}
        if not samples or any(BASE not in contestants for contestants in samples.values()):
            raise NothingMeasured(f"there is nothing to compare with: {'; '.join(run.notes)}")
        versions = {"PostgreSQL": await connection.fetchval("SHOW server_version")}
        for rival in rivals:
            versions |= rival.versions
        return Outcome(figures_of(samples, base=BASE), versions, run.notes, run.rounds)


async def _enter(stack: AsyncExitStack, entry: Entry, url: str, server: Server, folder: Path) -> Rival:
    python = Path(sys.executable)
    if entry.peer is not None:
        python = await asyncio.to_thread(python_of, entry.peer, folder)
    return await stack.enter_async_context(
        started(entry.title, entry.module, python=python, url=url, core=server.cores.client)
    )


def _about(server: Server, plan: Plan, outcome: Outcome) -> dict[str, str]:
    plan_text = f"{plan.rows:,} rows; medians of {outcome.rounds} rounds of {plan.slice_seconds:g} s a cell"
    return described(outcome.versions, f"{server.cores}", plan_text)


def _print(outcome: Outcome, about: dict[str, str], misses: list[str]) -> None:
    for name, value in about.items():
        print(f"{name}: {value}")
    print(f"cells: speed against {BASE} · microseconds of one operation (of the client's CPU)\n")
    print(table(outcome.figures, CASES, {"*target*": TARGETS}))
    for note in outcome.notes:
        print(f"note: {note}")
    for miss in misses:
        print(f"target missed: {miss}")
