"""Applying migrations: one process at a time, never waiting long for a table, going on where an earlier
run was cut off."""

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from orm.schema.migrations import Applied, Migration, MigrationError, pending
from sql import statements

logger = logging.getLogger(__name__)

_SQL = statements("orm/migrations")

MIGRATION_LOCK: Final = 5256638229403677465
"""The first eight bytes of sha256("starling migrations")."""

LOCK_TIMEOUT_SECONDS: Final = 2.0
"""How long a statement waits for a table that is in use. Others queue up behind it, so this is also how
long they wait."""

_INDEX_BUILD: Final = re.compile(
    r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>\"[^\"]+\"|\w+)",
    re.IGNORECASE,
)

_INDEX_DROP: Final = re.compile(r"DROP\s+INDEX\s+CONCURRENTLY\b", re.IGNORECASE)

ATTEMPTS: Final = 10
"""How often a migration that could not get its lock is tried; with the pauses in between, over some 40
seconds."""

PAUSE_SECONDS: Final = 2.0


async def applied(connection: "asyncpg.Connection[Any]") -> dict[int, Applied]:
    """What this database remembers, by number."""
    if not await connection.fetchval(_SQL["has_table"]):
        return {}
    rows = await connection.fetch(_SQL["applied"])
    return {row["number"]: Applied(*row.values()) for row in rows}


async def apply(
    connection: "asyncpg.Connection[Any]",
    migrations: Sequence[Migration],
    *,
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
    pause_seconds: float = PAUSE_SECONDS,
) -> list[Migration]:
    """The migrations that were applied, in order; those done before are passed over.

    `connection` is the caller's own, outside of any pool, without a statement timeout. Raises
    MigrationError: when another process migrates (and says which), when files and database have gone
    apart, or when a table stayed in use through every attempt."""
    await _lock(connection)
    await connection.execute(_SQL["make_table"])
    done = []
    for migration in pending(migrations, await applied(connection)):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await _run(connection, migration, f"{round(lock_timeout_seconds * 1000)}ms")
                break
            except asyncpg.LockNotAvailableError as error:
                if attempt == ATTEMPTS:
                    raise MigrationError(
                        f"{migration.file} could not get its lock in {ATTEMPTS} attempts of "
                        f"{lock_timeout_seconds:g} s: a long transaction uses the table; "
                        "end it, or try again when it is over"
                    ) from error
                logger.warning("%s: a table is in use, trying again", migration.file)
                await asyncio.sleep(pause_seconds)
            except asyncpg.PostgresError as error:
                how_far = (
                    "what is done of it is noted"
                    if migration.outside_transaction
                    else "nothing of it was applied"
                )
                raise MigrationError(
                    f"{migration.file}: {error} ({how_far}: mend the rows or the file, and apply it again)"
                ) from error
        done.append(migration)
    return done


async def _run(connection: "asyncpg.Connection[Any]", migration: Migration, patience: str) -> None:
    if migration.outside_transaction:
        await _run_by_steps(connection, migration, patience)
        return
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{patience}'")
        for statement in migration.statements[await _steps_done(connection, migration) :]:
            await connection.execute(statement)
        await note_finished(connection, migration)


async def _run_by_steps(connection: "asyncpg.Connection[Any]", migration: Migration, patience: str) -> None:
    """Each statement by itself, and a note of how far it came."""
    done = await _steps_done(connection, migration)
    for index, statement in enumerate(migration.statements[done:], done):
        build, drop = _INDEX_BUILD.match(statement), _INDEX_DROP.match(statement)
        if build is None and drop is None:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{patience}'")
                await connection.execute(statement)
                await _note_step(connection, migration, index + 1)
            continue
        # What an interrupted build left behind is invalid and has the name. A build waits for everyone who
        # uses the table and blocks nobody, and so does a drop: there is no time limit on them.
        await connection.execute("SET lock_timeout = 0")
        if build is not None:
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {build['name']}")
        await connection.execute(statement)
        await _note_step(connection, migration, index + 1)
    await note_finished(connection, migration)


async def _steps_done(connection: "asyncpg.Connection[Any]", migration: Migration) -> int:
    known = (await applied(connection)).get(migration.number)
    return known.steps if known is not None else 0


async def _note_step(connection: "asyncpg.Connection[Any]", migration: Migration, steps: int) -> None:
    checksum = migration.checksum_of(steps)
    await connection.execute(_SQL["step"], migration.number, migration.name, checksum, steps)


async def note_finished(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    """The migration is done."""
    values = (migration.number, migration.name, migration.checksum, len(migration.statements))
    await connection.execute(_SQL["finish"], *values)


async def _lock(connection: "asyncpg.Connection[Any]") -> None:
    if await connection.fetchval(_SQL["try_lock"], MIGRATION_LOCK):
        return
    holder = await connection.fetchrow(_SQL["lock_holder"], MIGRATION_LOCK)
    who = (
        f"process {holder['pid']} ({holder['application_name'] or 'no name'}) from "
        f"{holder['address'] or 'this machine'}, since {holder['since']:%H:%M:%S} UTC"
        if holder is not None
        else "another process, which has just ended"
    )
    raise MigrationError(f"migrations are being applied by {who}; wait for it, then run this again")
