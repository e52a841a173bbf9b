"""`starling migrate`: what the database lacks of the models beyond what a start may add by itself."""

import argparse
import asyncio
from pathlib import Path
from typing import Any, Final

import asyncpg

from app.cli.output import print_json, print_table
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings
from app.server.borrowed import borrowed_database
from orm.database import Database
from orm.driver_errors import translated_connect
from orm.schema import migrate
from orm.schema.apply import read_difference
from orm.schema.difference import Difference
from orm.schema.migrations import Migration, read_folder, write_plan

FOLDER: Final = Path("sql/migrations")


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
    """Do it. `status` exits with 1 when something waits, so that a deployment can ask."""
    settings = Settings.load()
    env = Environment(settings, Models, Apps)
    with borrowed_database(settings) as url:
        return asyncio.run(_run(arguments, env, url))


async def _run(arguments: argparse.Namespace, env: Environment, url: str) -> int:
    await env.setup_services()
    if arguments.action == "plan":
        return await _plan(arguments, env, url)
    async with translated_connect():
        connection = await asyncpg.connect(url, server_settings={"application_name": "starling migrate"})
    try:
        if arguments.action == "apply":
            done = await migrate.apply(connection, read_folder(arguments.folder))
            _print(arguments, [(migration.file, "applied") for migration in done], "nothing to apply")
            return 0
        return await _status(arguments, env, url, connection)
    finally:
        await connection.close()


async def _plan(arguments: argparse.Namespace, env: Environment, url: str) -> int:
    difference = await _difference(env, url)
    migrations = read_folder(arguments.folder)
    files = write_plan(difference.changes, max((one.number for one in migrations), default=0) + 1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (arguments.folder / name).write_text(text, encoding="utf-8")
    _print(arguments, [(str(arguments.folder / name), "written") for name in files], "nothing to plan")
    return 0


async def _status(
    arguments: argparse.Namespace, env: Environment, url: str, connection: "asyncpg.Connection[Any]"
) -> int:
    migrations: list[Migration] = read_folder(arguments.folder)
    applied = await migrate.applied(connection)
    lines = [
        (one.file, "applied" if one.number in applied and applied[one.number].is_finished else "waits")
        for one in migrations
    ]
    difference = await _difference(env, url)
    lines += [("models", change.sentence) for change in difference.changes]
    _print(arguments, lines, "the database fits the models")
    return 1 if any(state != "applied" for _, state in lines) else 0


async def _difference(env: Environment, url: str) -> Difference:
    db = Database(url, max_size=1)
    await db.open()
    try:
        return await read_difference(db, env.registry)
    finally:
        await db.close()


def _print(arguments: argparse.Namespace, lines: list[tuple[str, str]], nothing: str) -> None:
    if arguments.json:
        print_json({"data": [{"name": name, "state": state} for name, state in lines]})
    elif lines:
        print_table(lines)
    else:
        print(nothing)
