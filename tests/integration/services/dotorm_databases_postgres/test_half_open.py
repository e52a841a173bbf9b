"""Connections to a database that is gone without a word: they are noticed from here, and given up."""

import asyncio

import pytest

from services.dotorm_databases_postgres.settings import DatabaseSettings
from tests.support.application import running_application
from tests.support.eventually import eventually
from tests.support.faults.proxy import dead_end


async def test_requests_on_dead_connections_are_503_and_the_next_ones_take_new_connections(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dotorm_databases_postgres.watch.MARGIN_SECONDS", 0.5)
    async with dead_end(database_url) as way:
        # The server keeps time on its own side, in vain: nobody hears what it says.
        database = DatabaseSettings(url=way.url, pool_max=3, statement_timeout_seconds=1)
        async with running_application(database_url, database=database) as running:
            admin = await running.as_admin()
            pool = running.env.db.pool
            locker = await running.env.db.connect(database_url)
            await locker.execute("BEGIN; LOCK TABLE partners")
            asking = [asyncio.create_task(admin.get("/api/partners")) for _ in range(2)]
            await eventually(lambda: pool.size - pool.idle >= 2)
            assert way.swallow() >= 3  # those two, and the one that listens
            await locker.execute("ROLLBACK")
            for answer in await asyncio.gather(*asking):
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
            assert (await admin.get("/api/partners")).status_code == 200
            await locker.close()


async def test_idle_connections_are_given_up_together_when_one_does_not_answer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dotorm_databases_postgres.watch.ANSWER_SECONDS", 0.2)
    async with dead_end(database_url) as way:
        database = DatabaseSettings(url=way.url, pool_min=3, pool_max=3, statement_timeout_seconds=600)
        async with running_application(database_url, database=database) as running:
            pool = running.env.db.pool
            await eventually(lambda: pool.size == 3 == pool.idle)
            way.swallow()
            await eventually(lambda: pool.size < 3)
            admin = await running.as_admin()
            assert (await admin.get("/api/partners")).status_code == 200
