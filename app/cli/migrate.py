"""`starling migrate`: what the database lacks of the models beyond what a start may add by itself."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

import asyncpg

from app.cli.output import print_json, print_table
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings
from app.server.borrowed import borrowed_database
from orm.database import Database
from orm.driver_errors import translated_connect
from orm.schema import migrate
from orm.schema.apply import is_made, read_difference
from orm.schema.changes import Difference
from orm.schema.expressions import IN_USE
from orm.schema.migrations import FOLDER, Applied, Migration, MigrationError, pending, read_folder, write_plan

_APPLIED: Final = "applied"
_EMPTY: Final = "the database is empty: the first start makes its tables, and no migration is needed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add what to do, where the files are, and the format."""
    parser.add_argument(
        "action",
        nargs="?",
        default="status",
        choices=("status", "plan", "apply"),
        help="status: what is applied and what waits; plan: write files; apply: run what waits",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where the files are (default {FOLDER})")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it. `status` exits with 1 when something waits, so that a deployment can ask; a note does not."""
    settings = Settings.load()
    env = Environment(settings, Models, Apps)
    with borrowed_database(settings) as url:
        return asyncio.run(_run(arguments, env, url))


async def _run(arguments: argparse.Namespace, env: Environment, url: str) -> int:
    await env.setup_services()
    difference = await _difference(env, url)
    if difference is None:
        _print(arguments, [], _EMPTY)
        return 0
    migrations = read_folder(arguments.folder)
    async with translated_connect():
        connection = await asyncpg.connect(url, server_settings={"application_name": "starling migrate"})
    try:
        if arguments.action == "apply":
            done = await migrate.apply(connection, migrations)
            _print(arguments, [(migration.file, "applied") for migration in done], "nothing to apply")
            return 0
        applied = await migrate.applied(connection)
    finally:
        await connection.close()
    waiting = pending(migrations, applied)
    if arguments.action == "plan":
        return _plan(arguments, difference, migrations, waiting)
    return _status(arguments, difference, migrations, applied)


def _plan(
    arguments: argparse.Namespace,
    difference: Difference,
    migrations: list[Migration],
    waiting: list[Migration],
) -> int:
    if waiting:
        raise MigrationError(
            f"not applied yet: {', '.join(one.file for one in waiting)}; run `starling migrate apply` first, "
            "or delete what is not wanted"
        )
    if IN_USE in difference.notes:
        raise MigrationError(IN_USE)
    files = write_plan(difference, max((one.number for one in migrations), default=0) + 1)
    for name, text in files.items():
        arguments.folder.mkdir(parents=True, exist_ok=True)
        (arguments.folder / name).write_text(text, encoding="utf-8")
    lines = [(str(arguments.folder / name), "written") for name in files]
    _print(arguments, lines + _notes(difference), "nothing to plan")
    return 0


def _status(
    arguments: argparse.Namespace,
    difference: Difference,
    migrations: list[Migration],
    applied: dict[int, Applied],
) -> int:
    lines = [(one.file, _state(one, applied.get(one.number))) for one in migrations]
    lines += [("models", change.sentence) for change in difference.changes]
    needs_somebody = any(state != _APPLIED for _, state in lines)
    if difference.safe:
        lines.append(("models", f"the next start adds {len(difference.safe)} definitions by itself"))
    _print(arguments, lines + _notes(difference), "the database fits the models")
    return 1 if needs_somebody else 0


def _notes(difference: Difference) -> list[tuple[str, str]]:
    """What is no reason to do anything."""
    return [("note", sentence) for sentence in difference.notes]


def _state(migration: Migration, done: Applied | None) -> str:
    if done is None or not done.is_begun:
        return "waits"
    if done.is_finished:
        return _APPLIED
    return f"waits, {done.steps} of {len(migration.statements)} statements are done"


async def _difference(env: Environment, url: str) -> Difference | None:
    """What the database lacks of the models; None where no start has made it yet."""
    db = Database(url, max_size=1)
    await db.open()
    try:
        return await read_difference(db, env.registry) if await is_made(db) else None
    finally:
        await db.close()


def _print(arguments: argparse.Namespace, lines: list[tuple[str, str]], nothing: str) -> None:
    if arguments.json:
        print_json({"data": [{"name": name, "state": state} for name, state in lines]})
    elif lines:
        print_table(lines)
    else:
        print(nothing)
