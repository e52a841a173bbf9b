"""`starling doctor` with a database: a finding for each thing, as it is."""

from collections.abc import Mapping

import pytest

from app.cli.database_checks import database_checks
from app.cli.finding import Finding
from app.project_setup import Settings
from services.dotorm_databases_postgres.settings import DatabaseSettings
from tests.support.application import running_application
from tests.support.databases import fresh_database
from tests.support.pgbouncer import binary, pgbouncer


async def findings(url: str, **database: object) -> Mapping[str, Finding]:
    settings = Settings(database=DatabaseSettings(url=url, **database))  # type: ignore[arg-type]
    return {finding.name: finding for finding in await database_checks(settings, url)}


async def test_a_database_that_served_is_all_right(database_url: str) -> None:
    async with running_application(database_url):
        pass
    found = await findings(database_url)
    assert {finding.state for finding in found.values()} <= {"ok", "warn"}
    wanted = {
        "database",
        "read-write",
        "clock",
        "connections",
        "pooler",
        "extensions",
        "schema",
        "migrations",
    }
    assert wanted <= found.keys()
    assert [found[name].state for name in ("database", "read-write", "clock", "schema")] == ["ok"] * 4
    assert "audit" in found


async def test_more_connections_than_there_are_is_told(database_url: str) -> None:
    found = await findings(database_url, pool_max=10_000)
    assert found["connections"].state == "warn"
    assert "DATABASE__POOL_MAX" in found["connections"].remedy
    assert "additions" in found["schema"].detail  # and an empty one is no failure


async def test_a_database_that_is_not_there_is_the_only_finding(database_url: str) -> None:
    found = await findings("postgresql://nobody@127.0.0.1:1/nothing")
    assert [finding.state for finding in found.values()] == ["fail"]


@pytest.mark.skipif(binary() is None, reason="pgbouncer is not installed (apt-get install pgbouncer)")
async def test_a_pooler_that_nobody_was_told_of_is_a_failure(server_url: str) -> None:
    async with fresh_database(server_url) as url, pgbouncer(url, server_connections=2) as pooled:
        assert (await findings(pooled))["pooler"].state == "fail"
        told = await findings(pooled, pooler=True, listen_url=url)
        assert told["pooler"].state == "ok"
