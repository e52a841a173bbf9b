"""`python -m tests.bench realtime`."""

import argparse
import asyncio
import dataclasses
import datetime as dt
import json
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from app.core.errors import StartError
from tests.bench.peers import default_folder
from tests.bench.realtime import systems, tables
from tests.bench.realtime.child import ChildFailed
from tests.bench.realtime.fanout import Crowd, crowd, middle
from tests.bench.realtime.growth import grown
from tests.bench.realtime.outcome import Outcome
from tests.bench.realtime.posting import floods, heard_elsewhere, stored
from tests.bench.realtime.systems import System, SystemFailed
from tests.bench.server import Server, database_server
from tests.support.databases import fresh_database

PARTS: Final = ("fanout", "delay", "posting", "growth")

_TRIES: Final = 3

Start = Callable[[str], AbstractContextManager[System]]


@dataclass(frozen=True)
class Plan:
    """How long a run is. Rates are messages a second, each of which goes to every socket.

    No round, and no step of a search, begins once a server's `fanout_seconds` have passed, and no server is
    begun with after `growth_seconds`: a busy machine is measured less, not for ever."""

    rounds: int = 3
    seconds: float = 4.0
    sockets: int = 1000
    rate: float = 100.0
    search_from: float = 140.0
    fanout_seconds: float = 35.0
    growth: tuple[int, ...] = (1000, 5000)
    growth_seconds: float = 60.0


QUICK: Final = Plan(rounds=1, seconds=2.0, fanout_seconds=10.0, growth=(1000,), growth_seconds=20.0)


def add_to(parts: Any) -> None:
    """Add this part to the parts of the rig."""
    parser: argparse.ArgumentParser = parts.add_parser(
        "realtime",
        help="fan-out, delay, posting and memory against three other servers (about 4 minutes)",
        description="Exits with 1 when --check finds a target missed, 2 when nothing could be measured.",
    )
    parser.add_argument("--quick", action="store_true", help="one round of short slices: about a minute")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("TEST_DATABASE_URL"),
        metavar="URL",
        help="a server on which databases may be made; default: TEST_DATABASE_URL, or an embedded one",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="where socket.io is installed, once; default: starling-bench in the user's cache folder",
    )
    parser.add_argument(
        "--only", type=_names(PARTS), default=PARTS, metavar="NAMES", help=f"of {', '.join(PARTS)}"
    )
    peers = ("floor", "naive", "socketio")
    parser.add_argument(
        "--peers", type=_names(peers), default=peers, metavar="NAMES", help=f"of {', '.join(peers)}, or none"
    )
    for name in ("rounds", "sockets"):
        parser.add_argument(f"--{name}", type=int, metavar="N")
    for name in ("seconds", "rate"):
        parser.add_argument(f"--{name}", type=float, metavar="X")
    parser.set_defaults(run=run)


def _names(allowed: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def chosen(text: str) -> tuple[str, ...]:
        names = [name.strip() for name in text.split(",") if name.strip() not in ("", "none")]
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"{name!r}: there are {', '.join(allowed)}")
        return tuple(name for name in allowed if name in names)

    return chosen


def run(options: argparse.Namespace) -> int:
    """Measure, print, and give back the exit code."""
    given = {name: getattr(options, name) for name in ("rounds", "sockets", "seconds", "rate")}
    plan = dataclasses.replace(
        QUICK if options.quick else Plan(), **{name: value for name, value in given.items() if value}
    )
    outcome = Outcome()
    # Whoever ends us with SIGTERM ends the servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with database_server(options.database_url) as server:
            _Run(server, plan, options, outcome).all()
    except (StartError, SystemFailed, ChildFailed, OSError) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 2
    misses = tables.missed(outcome, plan.sockets)
    about = {
        "command": f"python -m tests.bench {shlex.join(sys.argv[1:])}",
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{k} {v}" for k, v in outcome.versions.items())]
        ),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores; load generator on core "
        f"{server.cores.client}, everything else wherever there is room",
    }
    for name, value in about.items():
        print(f"{name}: {value}")
    print(tables.shown(outcome, plan.sockets, plan.rate))
    for note in outcome.notes:
        print(f"note: {note}")
    for miss in misses:
        print(f"target missed: {miss}")
    if options.json:
        found = {"about": about, "missed": misses, **asdict(outcome)}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if options.check and misses else 0


class _Run:
    def __init__(self, server: Server, plan: Plan, options: argparse.Namespace, outcome: Outcome) -> None:
        self._server = server
        self._plan = plan
        self._options = options
        self._outcome = outcome
        self._core = server.cores.client
        peers: dict[str, Start] = {
            "floor": systems.floor,
            "naive": systems.naive,
            "socketio": lambda url: systems.socketio(url, options.cache),
        }
        self._peers = [peers[name] for name in options.peers]

    def all(self) -> None:
        """Every part that was asked for, one after the other."""
        for part in self._options.only:
            before = os.getloadavg()[0]
            {"fanout": self._fanout, "delay": self._delay, "posting": self._posting, "growth": self._growth}[
                part
            ]()
            self._note(f"{part}: load average {before:.1f} before, {os.getloadavg()[0]:.1f} after")

    def _fanout(self) -> None:
        """All servers stand there with their sockets and take turns; then each shows how fast it can."""
        found, plan = self._outcome, self._plan
        with ExitStack() as stack:
            crowds: list[Crowd] = []
            for start in (systems.starling, *self._peers):
                try:
                    system = stack.enter_context(self._started(start))
                    crowds.append(stack.enter_context(crowd(system, core=self._core)))
                except SystemFailed as error:
                    self._note(str(error))
            found.slices = {one.system.title: [] for one in crowds}
            for one in crowds:
                one.grow(plan.sockets)
                one.slice(plan.rate / 5, 1.0)  # everything was used once
            half = plan.fanout_seconds * len(crowds) / 2
            deadline = time.monotonic() + half
            for number in range(plan.rounds):
                if number and time.monotonic() > deadline:
                    self._note(f"fan-out: medians of {number} rounds, there was no time for more")
                    break
                for one in crowds:
                    found.slices[one.system.title].append(one.slice(plan.rate, plan.seconds))
            for one in crowds:
                keeps_up = middle(found.slices[one.system.title]).is_kept_up
                start_rate = plan.search_from if keeps_up else plan.rate / 2
                found.fastest[one.system.title] = one.fastest(
                    start_rate, plan.seconds, until=time.monotonic() + plan.fanout_seconds / 2
                )

    def _delay(self) -> None:
        with self._started(systems.starling) as system:
            self._outcome.heard = heard_elsewhere(system, self._plan.seconds * 3, core=self._core)

    def _posting(self) -> None:
        with self._database() as url, systems.starling(url, workers=1) as system:
            self._outcome.versions |= system.versions
            self._outcome.posted = floods(system, self._plan.seconds, core=self._core)
            self._outcome.stored = stored(url)

    def _growth(self) -> None:
        deadline = time.monotonic() + self._plan.growth_seconds
        for start in (systems.starling, *self._peers):
            if time.monotonic() > deadline:
                self._note("growth: there was no time for more servers")
                break
            try:
                with self._started(start) as system, crowd(system, core=self._core) as one:
                    found = grown(one, self._plan.growth, self._plan.seconds)
                    self._outcome.growth[system.title] = found
            except SystemFailed as error:
                self._note(str(error))

    @contextmanager
    def _started(self, start: Start) -> Iterator[System]:
        with self._database() as url, ExitStack() as stack:
            for tries_left in reversed(range(_TRIES)):
                try:
                    system = stack.enter_context(start(url))
                    break
                except SystemFailed:  # mostly somebody took the port that was free a moment ago
                    if not tries_left:
                        raise
            self._outcome.versions |= system.versions
            yield system

    @contextmanager
    def _database(self) -> Iterator[str]:
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            try:
                yield runner.run(stack.enter_async_context(fresh_database(self._server.url)))
            finally:
                runner.run(stack.aclose())

    def _note(self, note: str) -> None:
        if note not in self._outcome.notes:
            self._outcome.notes.append(note)
