"""`starling restore FILE`: what a backup holds, put into an empty database, all of it or nothing.

pg_restore makes triggers last, after the rows: what is put back is not written into the audit log once more,
and the log and its chain are those of the backup.
"""

import argparse
import asyncio
import subprocess
from pathlib import Path

from app.cli.backup import last_words, server_version
from app.cli.output import print_json
from app.core.errors import StartError
from app.project_setup import Settings
from app.server.borrowed import borrowed_database
from app.server.postgres_tools import Tool, choose_tool, target_of, tool_environment
from orm.database import Database
from services.dotorm_databases_postgres.inspection import Usage, usage


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the file, the word that is needed to replace what is there, and the format."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what `starling backup` wrote")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also into a database that is in use or not empty: what FILE holds is replaced, and lost",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it, in one transaction: when it fails the database is as it was before."""
    file: Path = arguments.file
    with borrowed_database(Settings.load()) as url:
        tool = choose_tool("pg_restore", asyncio.run(server_version(url)))
        _check_file(tool, file)
        is_empty = asyncio.run(_check_database(url, force=arguments.force))
        _restore(tool, file, url, replace=not is_empty)
        tables = asyncio.run(_usage(url)).tables
    if arguments.json:
        print_json({"file": str(file), "tables": tables})
    else:
        print(f"{file} is restored: {tables} tables; `starling audit verify` checks its audit log")
    return 0


def _check_file(tool: Tool, file: Path) -> None:
    if not file.is_file():
        raise StartError(f"there is no file {file}")
    done = subprocess.run([tool.path, "--list", file], capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise StartError(f"{file} is no backup that can be read: {last_words(done.stderr)}")


async def _check_database(url: str, *, force: bool) -> bool:
    """Whether it is empty. Raises StartError when it may not be touched."""
    found = await _usage(url)
    if not force:
        if found.others:
            raise StartError(
                f"the database is in use ({found.others} other connections): stop `starling serve` and what "
                "else works in it, or add --force"
            )
        if found.tables:
            raise StartError(
                f"the database is not empty ({found.tables} tables): restore into a new one, or add --force "
                "to replace what is there"
            )
    return not found.tables


async def _usage(url: str) -> Usage:
    db = Database(url, max_size=1)
    await db.open()
    try:
        return await usage(db)
    finally:
        await db.close()


def _restore(tool: Tool, file: Path, url: str, *, replace: bool) -> None:
    target = target_of(url)
    clean = ["--clean", "--if-exists"] if replace else []
    command: list[str | Path] = [tool.path, "--no-owner", "--exit-on-error", "--single-transaction", *clean]
    command += ["--dbname", target.dbname, file]
    done = subprocess.run(  # noqa: S603  # a program of PostgreSQL, and arguments of our own
        command, env=tool_environment(target), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise StartError(f"the restore failed, and nothing was changed: {last_words(done.stderr)}")
