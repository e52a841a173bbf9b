"""`starling doctor`: one line for each thing that should be right, and what helps where it is not."""

import argparse
import asyncio
import os
from collections.abc import Iterable, Iterator

from app.cli.database_checks import database_checks
from app.cli.finding import Finding, fail, ok
from app.cli.machine_checks import machine_checks
from app.cli.output import print_json
from app.core.errors import SettingsError, StartError
from app.core.settings import ENV_FILE, read
from app.project_setup import Settings
from app.server.borrowed import borrowed_database


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the format."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything; 1 when something fails. Changes nothing."""
    findings = list(_examined())
    if arguments.json:
        print_json({"data": findings})
    else:
        _print(findings)
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def _examined() -> Iterator[Finding]:
    try:
        settings = read(Settings, os.environ, env_file=ENV_FILE).settings
    except SettingsError as error:
        for problem in error.problems:
            yield fail("settings", problem, "correct it; `starling config show` lists all settings")
        return
    yield ok("settings", "they are right")
    yield from machine_checks(settings)
    yield from _of_database(settings)


def _of_database(settings: Settings) -> Iterable[Finding]:
    if settings.database.url is None and not (settings.data_dir / "postgres").exists():
        return [
            ok("database", "there is none yet: `starling serve` makes the embedded one at its first start")
        ]
    try:
        with borrowed_database(settings) as url:
            return asyncio.run(database_checks(settings, url))
    except StartError as error:
        return [fail("database", str(error), "see the sentence before")]


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        print(f"{finding.state:<5} {finding.name:<12} {finding.detail}")
        if finding.remedy:
            print(f"{'':<18} -> {finding.remedy}")
