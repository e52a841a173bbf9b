"""Bringing a database up to its models at start: one statement when nothing changed, safe additions when
something did."""

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import asyncpg

from orm.builder.text import quote
from orm.database import Database
from orm.errors import AccessDenied, Problem, TransactionConflict
from orm.registry import Registry
from orm.schema import ddl
from orm.schema.catalogue import Catalogue, read_catalogue
from orm.schema.changes import Difference
from orm.schema.difference import compare
from orm.schema.expressions import IN_USE, read_definitions
from orm.schema.index_changes import is_as_declared
from orm.schema.indexes import mark, named_indexes
from orm.schema.migrations import read_folder
from orm.schema.names import INDEX_MARK
from sql import statements

logger = logging.getLogger(__name__)

_SQL = statements("orm/schema")
_MIGRATIONS = statements("orm/migrations")

SCHEMA_LOCK: Final = 3502586269815817585
"""The first eight bytes of sha256("starling schema"), as pg_advisory_xact_lock takes them."""

LOCK_TIMEOUT: Final = "3s"
"""How long a statement waits for a table that others use. It waits in front of them, so this is also how
long they wait for it."""

STATE_TABLE: Final = "starling_schema"
_FINGERPRINT: Final = "fingerprint"
_CURSOR_KEY: Final = "cursor_key"


Routines = Mapping[str, str]
"""Functions and triggers: by name SQL that may run again and again (CREATE OR REPLACE), in this order."""

NO_ROUTINES: Final[Routines] = MappingProxyType({})


class SchemaMismatch(Problem):
    """The database does not fit the models and cannot be made to without a person."""

    code = "conflict"


async def bring_up(
    db: Database, registry: Registry, routines: Routines = NO_ROUTINES, *, folder: Path | None = None
) -> None:
    """Make the tables of `registry` that are missing, add what is safe to add, and then make `routines`. The
    registry learns the key of this database's cursors.

    Where everything is made from nothing, the migrations in `folder` are noted as applied: the tables have
    what they would change. Safe when several processes do it at once: one works, the others wait and then
    find it done. Raises SchemaMismatch for a database of another application, and, once what is safe was
    added, for one that lacks what only a migration can add."""
    wanted = fingerprint(registry, routines)
    with contextlib.suppress(asyncpg.UndefinedTableError):
        state = await _read_state(db)
        if state.get(_FINGERPRINT) == wanted and _CURSOR_KEY in state:
            registry.cursor_key = bytes.fromhex(state[_CURSOR_KEY])
            return
    async with db.transaction() as transaction:
        # whoever works on the schema may take longer than any statement of a request may
        await transaction.lift_timeout()
        await db.run(_SQL["lock"], [SCHEMA_LOCK])
        known = await _known_fingerprint(db)
        if known is not None:
            registry.cursor_key = await _cursor_key(db)
        if known == wanted:
            return
        catalogue = await read_catalogue(db, registry)
        if catalogue.tables and known is None:
            raise SchemaMismatch(
                f"the database has a table {quote(min(catalogue.tables))} that Starling did not make: "
                "it belongs to another application; use an empty database"
            )
        difference = await _compare(db, registry, catalogue)
        await _command(db, [f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"])
        if known is None:
            await _command(db, [_SQL["make_state"]])
            registry.cursor_key = await _cursor_key(db)
            await _note_migrations(db, folder)
        await _make(db, registry, difference.safe)
        await _mark_indexes(db, registry, catalogue)
        if not difference.obstacles:
            await _command(db, routines.values())
            if IN_USE not in difference.notes:  # the next start looks again
                await db.run(_SQL["write_state"], [_FINGERPRINT, wanted])
    if difference.safe:
        logger.info(
            "schema: %d definitions were added for %d models", len(difference.safe), len(list(registry))
        )
    for statement in difference.safe:
        logger.debug("schema: %s", statement)
    if difference.obstacles:
        raise SchemaMismatch(
            f"the database does not fit the models: {'; '.join(difference.obstacles)}; "
            "`starling migrate plan` writes the migration that changes it, `starling migrate apply` runs it"
        )
    for note in difference.notes:
        logger.info("schema: %s", note)
    for change in difference.changes:
        logger.warning("schema: %s; `starling migrate plan` writes the migration", change.sentence)


def fingerprint(registry: Registry, routines: Routines = NO_ROUTINES) -> str:
    """A digest of every table that `registry` wants and of `routines`: equal exactly when the definitions
    are."""
    texts = [*sorted(ddl.create_all(registry)), *routines.values(), INDEX_MARK]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


async def _known_fingerprint(db: Database) -> str | None:
    """The fingerprint in the database; "" before the first; None when the schema is not ours yet."""
    exists = await db.fetchval("SELECT to_regclass($1) IS NOT NULL", STATE_TABLE)
    return (await _read_state(db)).get(_FINGERPRINT, "") if exists else None


async def is_made(db: Database) -> bool:
    """Whether a start has ever made our tables there."""
    return await _known_fingerprint(db) is not None


async def _read_state(db: Database) -> dict[str, str]:
    return {row["key"]: row["value"] for row in await db.run(_SQL["read_state"])}


async def _cursor_key(db: Database) -> bytes:
    """The key that signs cursors, made at the first start. It is kept beside the rows, so that every process
    reads what another one wrote, and a restart invalidates no page; whoever can read it here can read the
    rows."""
    key = (await _read_state(db)).get(_CURSOR_KEY)
    if key is None:
        key = secrets.token_hex(32)
        await db.run(_SQL["write_state"], [_CURSOR_KEY, key])
    return bytes.fromhex(key)


async def _note_migrations(db: Database, folder: Path | None) -> None:
    migrations = read_folder(folder) if folder is not None else []
    if migrations:
        await _command(db, [_MIGRATIONS["make_table"]])
    for one in migrations:
        await db.run(_MIGRATIONS["finish"], [one.number, one.name, one.checksum, len(one.statements)])


async def read_difference(db: Database, registry: Registry) -> Difference:
    """What the database lacks of `registry`, as it is now. A temporary table is made and undone."""
    return await _compare(db, registry, await read_catalogue(db, registry))


async def _compare(db: Database, registry: Registry, catalogue: Catalogue) -> Difference:
    reading = await read_definitions(db, registry, catalogue)
    difference = compare(registry, reading.catalogue, reading.outdated)
    if reading.obstacle:
        difference.notes.append(reading.obstacle)
    return difference


async def _mark_indexes(db: Database, registry: Registry, catalogue: Catalogue) -> None:
    """Our mark on every declared index, new or found as it is declared. Without it an index is not dropped
    once no model declares it, which is no reason to refuse a start."""
    names = [
        index.name
        for meta in registry
        for index in named_indexes(meta)
        if index.name not in catalogue.names or is_as_declared(index, catalogue.indexes.get(index.name))
    ]
    with contextlib.suppress(TransactionConflict, AccessDenied):
        async with db.transaction():
            marks = [mark(row["name"]) for row in await db.run(_SQL["unmarked"], [names])]
            if marks:
                await _command(db, ["; ".join(marks)])


async def _make(db: Database, registry: Registry, texts: Iterable[str]) -> None:
    """The definitions of tables. Raises SchemaMismatch for an expression that PostgreSQL does not take."""
    for text in texts:
        try:
            await db.execute(text)
        except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
            for meta in registry:
                computed = [f"{meta.name}.{name}" for name in meta.recomputed]
                table = quote(meta.table)
                if computed and text.startswith((f"CREATE TABLE {table} ", f"ALTER TABLE {table} ")):
                    raise SchemaMismatch(
                        f"{', '.join(computed)}: PostgreSQL does not take the expression: {error}"
                    ) from error
            raise


async def _command(db: Database, texts: Iterable[str]) -> None:
    """Definitions, one after the other: as plain commands, since preparing what runs once is a round trip
    for nothing."""
    for text in texts:
        await db.execute(text)
