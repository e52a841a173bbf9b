"""A look at a database from outside, for the commands: what it is, who uses it, whether it fits."""

import time
from typing import Any

import asyncpg
import msgspec

from orm.database import CONNECT_SECONDS, Database
from orm.driver_errors import translated_connect
from sql import statements

_SQL = statements("dotorm_databases_postgres/inspection")


class Usage(msgspec.Struct, frozen=True):
    """How many tables a database has, and how many others work in it."""

    tables: int
    others: int


class About(msgspec.Struct, frozen=True):
    """A server as one session sees it. `skew_seconds` is by how much its clock is before ours; `connections`
    are all of the server but this one, `ours` those of Starling in this database."""

    major: int
    skew_seconds: float
    is_pooled: bool
    is_read_only: bool
    max_connections: int
    reserved: int
    connections: int
    ours: int
    has_trigrams: bool


class AuditBacklog(msgspec.Struct, frozen=True):
    """Entries of the audit log that wait for the chain, and for how long the first of them does."""

    waiting: int
    seconds: float


async def usage(db: Database) -> Usage:
    """Who and what is in the database."""
    ((tables, others),) = await db.run(_SQL["state"])
    return Usage(tables, others)


async def about(url: str) -> About:
    """What the server at `url` says of itself, on a connection without any settings of ours, which a pooler
    might refuse. Raises DatabaseUnavailable."""
    async with translated_connect():
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            statement_cache_size=0,
            target_session_attrs="read-write" if "," in url else None,
        )
    try:
        before = time.time()
        (row,) = await connection.fetch(_SQL["about"])
        ours = (before + time.time()) / 2
        return About(
            major=connection.get_server_version().major,
            skew_seconds=row["clock"] - ours,
            # A pooler gives sessions numbers of its own.
            is_pooled=connection.get_server_pid() != row["pid"],
            is_read_only=row["read_only"],
            max_connections=row["max_connections"],
            reserved=row["reserved"],
            connections=row["connections"],
            ours=row["ours"],
            has_trigrams=row["has_trigrams"],
        )
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def audit_backlog(db: Database) -> AuditBacklog | None:
    """What waits for the chain; None where there is no audit log."""
    if not await db.fetchval("SELECT to_regclass('audit_waiting') IS NOT NULL"):
        return None
    ((waiting, seconds),) = await db.run(_SQL["audit_waiting"])
    return AuditBacklog(waiting, seconds)


async def server_major(db: Database) -> int:
    """The major version of the server."""
    return int(await db.fetchval("SELECT current_setting('server_version_num')::int / 10000"))
