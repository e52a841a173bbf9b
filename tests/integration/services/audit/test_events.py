"""What modules record by themselves, and the service around it all."""

import pytest

from app.core.environment import Environment
from services.audit.actions import record
from services.audit.verify import verify
from tests.integration.services.audit.world import (
    ClubApps,
    ClubModels,
    Member,
    asking,
    entries,
    until_chained,
)
from tests.support.application import running_application


async def test_an_event_says_who_in_which_request_and_what_about(env: Environment) -> None:
    with asking():
        await record(
            "refresh_replayed", model="sessions", record_id=3, details={"address": "::1", "n": [1.5]}
        )
        await record("signed_in", user_id=9)
    await record("started")

    replayed, signed_in, started = await entries(env)
    assert {name: replayed[name] for name in replayed if name not in ("id", "at", "database_role")} == {
        "action": "refresh_replayed",
        "user_id": 7,
        "request_id": "request-1",
        "model": "sessions",
        "record_id": 3,
        "before": None,
        "after": None,
        "details": {"address": "::1", "n": [1.5]},
    }
    assert (signed_in["user_id"], signed_in["details"]) == (9, None)
    assert (started["user_id"], started["request_id"]) == (None, None)


async def test_an_event_is_kept_or_lost_with_its_transaction(env: Environment) -> None:
    with pytest.raises(ZeroDivisionError):
        async with env.db.transaction():
            await record("lost")
            raise ZeroDivisionError
    async with env.db.transaction():
        await record("kept")

    assert [entry["action"] for entry in await entries(env)] == ["kept"]


async def test_an_event_with_anything_that_clients_may_send_is_written(env: Environment) -> None:
    await record("odd", details={"login": "a\x00b \ud7ff \U0001f600 \x01 \"'\\", "deep": {"\x00": ["\x00"]}})

    (entry,) = await entries(env)
    assert entry["details"] == {
        "login": "a\ufffdb \ud7ff \U0001f600 \x01 \"'\\",
        "deep": {"\ufffd": ["\ufffd"]},
    }


async def test_the_service_makes_the_log_and_closes_the_chain(database_url: str) -> None:
    async with running_application(database_url, models=ClubModels, apps=ClubApps) as first:
        with first.env.bind():
            await Member.create(name="Ada")
            await until_chained(first.env, 1)

    async with running_application(database_url, models=ClubModels, apps=ClubApps) as again:
        with again.env.bind():
            await Member.create(name="Bo")
            await until_chained(again.env, 2)
            assert (await verify(again.env.db)).is_whole


async def test_two_processes_close_one_chain(database_url: str) -> None:
    async with (
        running_application(database_url, models=ClubModels, apps=ClubApps) as one,
        running_application(database_url, models=ClubModels, apps=ClubApps) as other,
    ):
        for number in range(20):
            with (one if number % 2 else other).env.bind():
                await Member.create(name=f"member {number}")
        await until_chained(one.env, 20)
        verdict = await verify(other.env.db)

    assert (verdict.position, verdict.is_whole) == (20, True)
