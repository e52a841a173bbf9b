"""A database that goes away and comes back, and one that is demoted while another host takes its place."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from app.server.embedded import SUPERUSER, EmbeddedPostgres
from orm import Database, DatabaseUnavailable
from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.dotorm_databases_postgres.watch import DatabaseWatch
from tests.support.application import running_application
from tests.support.eventually import eventually
from tests.support.program import open_folder


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with (
        open_folder(in_memory=True) as folder,
        EmbeddedPostgres(folder / "data", max_connections=40, is_durable=False) as started,
    ):
        yield started


@pytest.fixture
def other_server() -> Iterator[EmbeddedPostgres]:
    with (
        open_folder(in_memory=True) as folder,
        EmbeddedPostgres(folder / "data", max_connections=40, is_durable=False) as started,
    ):
        yield started


async def test_readiness_follows_a_database_that_goes_away_and_comes_back(server: EmbeddedPostgres) -> None:
    database = DatabaseSettings(url=server.url(), pool_max=4)
    async with running_application(server.url(), database=database) as running:
        admin = await running.as_admin()
        waiting = asyncio.create_task(running.env.db.fetchval("SELECT pg_sleep(30)"))
        await eventually(lambda: running.env.db.pool.size > running.env.db.pool.idle)

        server.process.send_signal(signal.SIGINT)
        server.process.wait(10)
        went = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await waiting
        began = time.monotonic()
        answer = await admin.get("/api/partners")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert time.monotonic() - began < 1
        await eventually(lambda: "database" in running.env.unready())
        assert time.monotonic() - went < 2
        client = await running.client()
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")

        server.restart()
        server.wait_until_ready()
        came = time.monotonic()
        await eventually(lambda: not running.env.unready())
        answer = await admin.get("/api/partners")
        assert time.monotonic() - came < 5
        assert answer.status_code == 200


@pytest.fixture
async def two_hosts(server: EmbeddedPostgres, other_server: EmbeddedPostgres) -> AsyncIterator[Database]:
    hosts = ",".join(one.url().partition("host=")[2].partition("&")[0] for one in (server, other_server))
    db = Database(f"postgresql://starling@/starling?host={hosts}&port=5432,5432", max_size=4)
    await make_read_only(other_server, "on")
    await db.open()
    yield db
    await db.close()


async def make_read_only(server: EmbeddedPostgres, setting: str) -> None:
    connection = await asyncpg.connect(server.url(role=SUPERUSER, database="postgres"))
    await connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {setting}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.mark.faults
async def test_after_a_failover_the_host_that_can_be_written_to_is_found(
    two_hosts: Database, server: EmbeddedPostgres, other_server: EmbeddedPostgres
) -> None:
    who = "SELECT pg_postmaster_start_time()"
    first = await two_hosts.fetchval(who)
    watch = DatabaseWatch(two_hosts)
    watch.start()
    await asyncio.gather(*(two_hosts.fetchval("SELECT pg_sleep(0.1)") for _ in range(4)))

    await make_read_only(server, "on")
    await make_read_only(other_server, "off")
    demoted = time.monotonic()
    second = first
    while second == first:
        second = await two_hosts.fetchval(who)
        await asyncio.sleep(0.05)
        assert time.monotonic() - demoted < 5
    await two_hosts.execute("CREATE TEMPORARY TABLE written (id int)")
    await eventually(lambda: watch.trouble() is None)
    await watch.stop()
