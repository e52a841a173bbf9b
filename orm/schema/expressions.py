"""Which defaults and expressions of a database are other ones than its models declare.

PostgreSQL keeps an expression as a tree and says it in words of its own, `price * pages` as
`(price * (pages)::numeric)`: the text of a model cannot be compared with it. So the server is asked to say
what is declared as well, of a temporary table that has it, in a transaction that is rolled back. A database
that came from a dump has read its expressions from the server's words rather than from ours, which may give
other words again (the elements of an IN are the usual case): what differs is said anew a few times on both
sides, and is the same if they ever meet. Constants are also the same where the server finds them equal.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from orm.builder.text import quote
from orm.database import Database
from orm.errors import AccessDenied, Invalid, StatementTimeout, TransactionConflict
from orm.fields.base import Field
from orm.fields.computed import ComputedField
from orm.metadata import ModelMeta
from orm.schema import ddl
from orm.schema.catalogue import Catalogue, Column, with_definitions
from orm.transaction import active
from sql import statements

_SQL = statements("orm/schema")

Outdated = frozenset[tuple[str, str]]
"""Tables and columns."""

NO_TEMPORARY: Final = (
    "defaults and computed columns were not compared: the database user may make no temporary table here "
    "(GRANT TEMPORARY ON DATABASE), or the database can only be read"
)
IN_USE: Final = (
    "defaults and computed columns were not compared: somebody has a table for himself; try again when he "
    "is done"
)
LOCK_TIMEOUT: Final = "2s"
"""How long it is waited for a table that somebody has for himself. To be compared it is only read, so that
nobody else who reads or writes waits for us."""

_ROUNDS: Final = 3
"""How often what differs is said anew. One is enough for every case that is known."""

_AT_ONCE: Final = 500
"""Defaults on one temporary table, which has at most 1600 columns."""

_TABLE: Final = "starling_defaults"

_NUMBER: Final = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_TYPE: Final = r'[\w ."]+(?:\(\d+(?:,-?\d+)?\))?(?: with(?:out)? time zone)?(?:\[\])?'
_CONSTANT: Final = re.compile(rf"\(*(?:'(?:[^']|'')*'|{_NUMBER}|true|false|NULL)(?:\)*::{_TYPE})*\)*", re.S)
"""A constant, cast or not, in the words of PostgreSQL. Nothing else can have been a default of a model."""

_REFUSALS: Final = (
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
    asyncpg.FeatureNotSupportedError,
    Invalid,
    AccessDenied,
)
"""What PostgreSQL says to an expression that it does not take."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A catalogue with its definitions, as far as they could be read; the columns that are outdated; and why,
    where these are not known."""

    catalogue: Catalogue
    outdated: Outdated = frozenset()
    obstacle: str = ""


async def read_definitions(db: Database, models: Iterable[ModelMeta], catalogue: Catalogue) -> Reading:
    """The definitions of what is there, compared with what `models` declare. Nothing stays of it."""
    if not catalogue.tables:
        return Reading(catalogue)
    try:
        async with _undone(db):
            await db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            full = await with_definitions(db, catalogue)
            [(may, schema)] = await db.run(_SQL["may_compare"])
            if not may:
                return Reading(full, obstacle=NO_TEMPORARY)
            return Reading(full, await _outdated(db, models, full.tables, schema))
    except (TransactionConflict, StatementTimeout):
        return Reading(catalogue, obstacle=IN_USE)


async def _outdated(
    db: Database, models: Iterable[ModelMeta], tables: Mapping[str, Mapping[str, Column]], schema: str
) -> Outdated:
    """The columns whose default, or what computes them, is another one than the model declares.

    Left out are those whose kind or type differs: what they hold is made anew with it."""
    defaults: dict[tuple[str, str], tuple[Field, Column]] = {}
    computed: dict[str, dict[str, tuple[ComputedField, Column]]] = {}
    for meta in models:
        for name, column in tables.get(meta.table, {}).items():
            field = meta.fields.get(name)
            if field is None or name not in meta.columns or name == "id":
                continue
            if isinstance(field, ComputedField) and column.is_computed:
                computed.setdefault(meta.table, {})[name] = (field, column)
            elif isinstance(field, ComputedField) or column.is_computed:
                continue
            elif column.type == ddl.catalogue_type(field):
                defaults[meta.table, name] = (field, column)
    return await _defaults(db, defaults) | await _computed(db, schema, computed)


async def _defaults(db: Database, columns: Mapping[tuple[str, str], tuple[Field, Column]]) -> Outdated:
    found = set()
    both: dict[tuple[str, str], tuple[str, str, str]] = {}
    for place, (field, column) in columns.items():
        declared, there = ddl.column_default(field), column.expression
        if declared is not None and there is not None:
            both[place] = (column.type, declared, there)
        elif declared is not None or is_constant(there):
            found.add(place)
    wanted = [(type_, declared) for type_, declared, _ in both.values()]
    said: list[str | None] = []
    for start in range(0, len(wanted), _AT_ONCE):
        said += await _said_defaults(db, wanted[start : start + _AT_ONCE])
    for (place, (type_, declared, there)), words in zip(both.items(), said, strict=True):
        if words != there and not await _is_equal(db, type_, declared, there):
            found.add(place)
    return frozenset(found)


async def _said_defaults(db: Database, wanted: Sequence[tuple[str, str]]) -> list[str | None]:
    """The defaults in the server's words; None for one that it does not take."""
    columns = [f'"{place}" {type_} DEFAULT {default}' for place, (type_, default) in enumerate(wanted)]
    try:
        async with _undone(db):
            await db.execute(f"CREATE TEMPORARY TABLE {_TABLE} ({', '.join(columns)})")
            said = await _expressions(db, _TABLE)
    except _REFUSALS:
        if len(wanted) == 1:
            return [None]
        return [words for one in wanted for words in await _said_defaults(db, [one])]
    return [said.get(str(place)) for place in range(len(wanted))]


def is_constant(there: str | None) -> bool:
    """Whether a default in the server's words may have been a model's: a constant, and not null, which is
    none."""
    if there is None:
        return False
    return _CONSTANT.fullmatch(there) is not None and not there.lstrip("(").startswith("NULL")


async def _is_equal(db: Database, type_: str, declared: str, there: str) -> bool:
    """Whether two defaults are constants of the same value: after a change of its type a column has the old
    constant and a cast."""
    if not is_constant(there):
        return False
    as_text = f"::{type_}::text"
    try:
        async with _undone(db):
            return bool(await db.fetchval(f"SELECT ({declared}){as_text} = ({there}){as_text}"))
    except _REFUSALS:
        return False


async def _computed(
    db: Database, schema: str, tables: Mapping[str, Mapping[str, tuple[ComputedField, Column]]]
) -> Outdated:
    found = set()
    for table, columns in tables.items():
        async with _undone(db):
            # by the same name, since an expression may name its table
            here = quote(table)
            await db.execute(f"CREATE TEMPORARY TABLE {here} (LIKE {schema}.{here})")
            for name, (field, column) in columns.items():
                if not await _is_same(db, table, name, column, field.sql):
                    found.add((table, name))
    return frozenset(found)


async def _is_same(db: Database, table: str, name: str, column: Column, sql: str) -> bool:
    theirs: str | None = column.expression
    ours = await _said(db, table, name, column.type, sql)
    known_theirs, known_ours = {theirs}, {ours}
    for _ in range(_ROUNDS):
        if ours is None or theirs is None or known_theirs & known_ours:
            break
        theirs = await _said(db, table, name, column.type, theirs)
        ours = await _said(db, table, name, column.type, ours)
        known_theirs.add(theirs)
        known_ours.add(ours)
    return bool((known_theirs & known_ours) - {None})


async def _said(db: Database, table: str, name: str, type_: str, sql: str) -> str | None:
    """An expression in the server's words; None when it does not take it over the columns that are there,
    so that it cannot be what the database has."""
    here, column = f"pg_temp.{quote(table)}", quote(name)
    try:
        async with db.transaction():
            await db.execute(
                f"ALTER TABLE {here} DROP COLUMN IF EXISTS {column}, "
                f"ADD COLUMN {column} {type_} GENERATED ALWAYS AS ({sql}) STORED"
            )
    except _REFUSALS:
        return None
    return (await _expressions(db, table))[name]


async def _expressions(db: Database, table: str) -> dict[str, str]:
    """The defaults and expressions of a temporary table, by column."""
    rows = await db.run(_SQL["temporary_expressions"], [table])
    return {row["column"]: row["expression"] for row in rows}


@asynccontextmanager
async def _undone(db: Database) -> AsyncIterator[None]:
    """A transaction, or a savepoint of the one that is open, of which nothing stays."""
    transaction = db.transaction()
    await transaction.open(active(db))
    try:
        with transaction.bound():
            yield
    finally:
        await transaction.close(failed=True)
