"""The least that a project needs to know its users: for tests of users, sessions and rights."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest_asyncio

from app.core.models import ModelsCore
from app.core.service import AppsCore
from services.audit.models import AuditEntry
from services.auth_token.models import ApiKey, RefreshToken, SignInBucket, SignInSession
from services.dotorm_crud_auto.models import IdempotencyKey
from services.security.models import AccessList, AccessPreset, AccessRevision, Role, Rule
from services.users.models import User
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_database


class IdentityModels(ModelsCore):
    """The tables of users, sessions and rights."""

    user = User
    role = Role
    access_list = AccessList
    rule = Rule
    access_preset = AccessPreset
    access_revision = AccessRevision
    sign_in_session = SignInSession
    refresh_token = RefreshToken
    sign_in_bucket = SignInBucket
    api_key = ApiKey
    audit_entry = AuditEntry
    idempotency_key = IdempotencyKey


class IdentityApps(AppsCore):
    """The modules of users, sessions and rights."""

    installed = (
        "services.logger",
        "services.dotorm_databases_postgres",
        "services.audit",
        "services.security",
        "services.users",
        "services.auth_token",
        "services.dotorm_crud_auto",
    )
    services_before = ("logger", "dotorm_databases_postgres", "audit", "security", "users", "auth_token")
    services_after = ("dotorm_crud_auto",)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def identity_database_url(server_url: str) -> AsyncIterator[str]:
    """A database for all tests of a folder: making one takes longer than emptying it."""
    async with fresh_database(server_url) as url:
        yield url


@pytest_asyncio.fixture
async def database_url(identity_database_url: str) -> str:
    """The same without rows; the tables are there from the second test on."""
    connection = await asyncpg.connect(identity_database_url)
    try:
        rows = await connection.fetch(
            "SELECT quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'starling_schema'"
        )
        if rows:
            await _empty(connection, [row[0] for row in rows])
    finally:
        await connection.close()
    return identity_database_url


async def _empty(connection: "asyncpg.Connection[Any]", tables: list[str]) -> None:
    """No table has rows, and ids begin with 1 again. The audit log, which refuses that, has none either.

    DELETE takes a fraction of the time of TRUNCATE where there are few rows, but wants a superuser.
    """
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        deletes = ";".join(f"DELETE FROM {table}" for table in tables)
        restart = (
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) "
            "FROM pg_sequences WHERE schemaname = 'public'"
        )
        await connection.execute(
            f"BEGIN; SET LOCAL session_replication_role = replica; {deletes}; {restart}; COMMIT"
        )
        return
    off, on = (
        ";".join(f"ALTER TABLE {table} {verb} TRIGGER USER" for table in tables)
        for verb in ("DISABLE", "ENABLE")
    )
    await connection.execute(f"{off}; TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE; {on}")


@pytest_asyncio.fixture
async def identity(database_url: str) -> AsyncIterator[RunningApplication]:
    """One process that knows users and sessions."""
    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        yield running
