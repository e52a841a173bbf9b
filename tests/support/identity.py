"""The least that a project needs to know its users: for tests of users, sessions and rights."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from app.core.models import ModelsCore
from app.core.service import AppsCore
from services.auth_token.models import RefreshToken, SignInSession
from services.security.models import AccessRevision
from services.users.models import User
from tests.support.application import RunningApplication, running_application
from tests.support.databases import fresh_database


class IdentityModels(ModelsCore):
    """The tables of users, sessions and rights."""

    user = User
    access_revision = AccessRevision
    sign_in_session = SignInSession
    refresh_token = RefreshToken


class IdentityApps(AppsCore):
    """The modules of users, sessions and rights."""

    installed = (
        "services.logger",
        "services.dotorm_databases_postgres",
        "services.security",
        "services.users",
        "services.auth_token",
    )
    services_before = ("logger", "dotorm_databases_postgres", "security", "users", "auth_token")


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
        tables = await connection.fetch(
            "SELECT quote_ident(tablename) AS name FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'starling_schema'"
        )
        if tables:
            names = ", ".join(table["name"] for table in tables)
            await connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    finally:
        await connection.close()
    return identity_database_url


@pytest_asyncio.fixture
async def identity(database_url: str) -> AsyncIterator[RunningApplication]:
    """One process that knows users and sessions."""
    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        yield running
