"""Databases for tests: a run makes its own on the server it is given, and drops it afterwards."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode, urlsplit, urlunsplit

import asyncpg


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """The URL of a new database on that server. In the end it is dropped, whoever is still connected."""
    name = f"starling_test_{secrets.token_hex(6)}"
    await _command(server_url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        await _command(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@asynccontextmanager
async def fresh_schema(database_url: str) -> AsyncIterator[str]:
    """The URL of a database in which nothing but a new, empty schema is seen.

    It takes a few milliseconds where a database takes half a second: a test that leaves no session open
    needs no more."""
    name = f"test_{secrets.token_hex(6)}"
    await _command(database_url, f'CREATE SCHEMA "{name}"')
    parts = urlsplit(database_url)
    query = "&".join(filter(None, [parts.query, urlencode({"search_path": name})]))
    try:
        yield urlunsplit(parts._replace(query=query))
    finally:
        await _command(database_url, f'DROP SCHEMA "{name}" CASCADE')


async def _command(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
