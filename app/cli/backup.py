"""`starling backup FILE`: the whole database in one file, while the server goes on."""

import argparse
import asyncio
import os
import secrets
import subprocess
from pathlib import Path

from app.cli.output import print_json
from app.core.errors import StartError
from app.project_setup import Settings
from app.server.borrowed import borrowed_database
from app.server.postgres_tools import Tool, choose_tool, target_of, tool_environment
from orm.database import Database
from services.dotorm_databases_postgres.inspection import server_major

_MODE = 0o600
# A migration that holds a lock should not make the backup wait for ever, nor queue others up behind it.
_MORE = ("--lock-wait-timeout=60s",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the file and the format."""
    parser.add_argument("file", metavar="FILE", type=Path, help="where to write it; only you may read it")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = "A dump of PostgreSQL in its custom format: pg_restore reads it, too."


def run(arguments: argparse.Namespace) -> int:
    """Do it, whether or not `starling serve` runs. FILE is whole, or it is as it was before."""
    file: Path = arguments.file
    if file.exists() and not arguments.force:
        raise StartError(f"{file} is there already: choose another name, or add --force to replace it")
    with borrowed_database(Settings.load()) as url:
        major = asyncio.run(server_version(url))
        beside = _open_beside(file)
        try:
            _dump(choose_tool("pg_dump", major), choose_tool("pg_restore", major), url, beside)
            beside.replace(file)
        except OSError as error:
            raise StartError(f"{file} cannot be written: {error.strerror or error}") from error
        finally:
            beside.unlink(missing_ok=True)
    size = file.stat().st_size
    if arguments.json:
        print_json({"file": str(file), "bytes": size})
    else:
        print(f"{file}: {size:,} bytes; `starling restore {file}` puts it into an empty database")
    return 0


async def server_version(url: str) -> int:
    """The major version of the server. Raises DatabaseUnavailable."""
    db = Database(url, max_size=1)
    await db.open()
    try:
        return await server_major(db)
    finally:
        await db.close()


def _open_beside(file: Path) -> Path:
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE))
    except OSError as error:
        raise StartError(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from error
    return beside


def _dump(dump: Tool, check: Tool, url: str, into: Path) -> None:
    """Write the dump, and see that it can be read again. Raises StartError, OSError."""
    target = target_of(url)
    with into.open("r+b") as file:
        command: list[str | Path] = [
            dump.path,
            "--format=custom",
            "--no-owner",
            *_MORE,
            "--dbname",
            target.dbname,
        ]
        _run(command, tool_environment(target), stdout=file)
        os.fsync(file.fileno())
    _run([check.path, "--list", into], tool_environment(target), stdout=subprocess.DEVNULL)


def _run(command: list[str | Path], environment: dict[str, str], stdout: object) -> None:
    done = subprocess.run(  # noqa: S603  # a program of PostgreSQL, and arguments of our own
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,  # type: ignore[call-overload]
    )
    if done.returncode:
        raise StartError(f"the backup failed, and nothing was written: {last_words(done.stderr)}")


def last_words(said: bytes) -> str:
    """The first line of what a program complained of, which mostly names the cause."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it said nothing")
