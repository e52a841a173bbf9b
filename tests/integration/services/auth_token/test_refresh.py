import asyncio
import logging
import random
from itertools import pairwise
from typing import Any

import httpx
import pytest

from services.auth_token.actions import GRACE_SECONDS, MOST_TOKENS
from services.auth_token.settings import AuthSettings
from services.users.actions import disable_user
from tests.support.application import ADMIN, PASSWORD, SECRET, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/token/refresh", json={"refresh_token": token})


async def refreshed(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    answer = await refresh(client, token)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def let_pass(running: RunningApplication, seconds: float) -> None:
    """Make everything that happened to refresh tokens so far that much older."""
    await running.env.db.fetch(
        "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => $1)", float(seconds)
    )


async def audited(running: RunningApplication) -> list[dict[str, Any]]:
    """What the audit log says of replays."""
    rows = await running.env.db.fetch(
        "SELECT user_id, model, record_id, details->>'address' AS address "
        "FROM audit_log WHERE action = 'refresh_replayed'"
    )
    return [dict(row) for row in rows]


async def is_signed_in(running: RunningApplication, access_token: str) -> bool:
    answer = await (await running.client(token=access_token)).get("/me")
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


async def test_a_refresh_gives_new_tokens_of_the_same_session(identity: RunningApplication) -> None:
    signed_in = await identity.sign_in(ADMIN)
    anybody = await identity.client()

    fresh = await refreshed(anybody, signed_in["refresh_token"])

    assert set(fresh) == set(signed_in)
    assert fresh["user"] == signed_in["user"]
    assert fresh["refresh_token"] != signed_in["refresh_token"]
    assert fresh["access_token"] != signed_in["access_token"]
    client = await identity.client(token=fresh["access_token"])
    assert len((await client.get("/sessions")).json()["data"]) == 1


async def test_tokens_can_be_refreshed_one_after_the_other_for_ever(identity: RunningApplication) -> None:
    token = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()

    for _ in range(5):
        token = (await refreshed(anybody, token))["refresh_token"]
        await let_pass(identity, 3600)

    assert await identity.env.db.fetchval("SELECT count(*) FROM refresh_tokens") <= 2


async def test_within_the_grace_a_repeat_gets_a_sibling_that_lives_on_its_own(
    identity: RunningApplication,
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    one = await refreshed(anybody, first)
    await let_pass(identity, GRACE_SECONDS - 1)

    other = await refreshed(anybody, first)

    assert one["refresh_token"] != other["refresh_token"]
    await let_pass(identity, 3600)
    for tab in (one, other):
        assert await is_signed_in(identity, tab["access_token"])
        assert await refreshed(anybody, tab["refresh_token"])


async def test_twenty_tabs_refresh_at_once_and_none_is_signed_out(identity: RunningApplication) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()

    tabs = await asyncio.gather(*(refreshed(anybody, first) for _ in range(20)))

    assert len({tab["refresh_token"] for tab in tabs}) == 20
    await let_pass(identity, 3600)
    assert all([await is_signed_in(identity, tab["access_token"]) for tab in tabs])
    again = await asyncio.gather(*(refreshed(anybody, tab["refresh_token"]) for tab in tabs))
    assert len({tab["refresh_token"] for tab in again}) == 20


@pytest.mark.parametrize("seed", range(3))
async def test_twenty_tabs_with_one_token_refresh_within_nine_seconds_and_none_is_signed_out(
    identity: RunningApplication, seed: int
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    tabs = [first] * 20

    for _ in range(3):
        jitters = sorted(random.Random(seed).uniform(0, 9) for _ in tabs)
        for number, waited in enumerate(
            [jitters[0], *(after - before for before, after in pairwise(jitters))]
        ):
            await let_pass(identity, waited)
            tabs[number] = (await refreshed(anybody, tabs[number]))["refresh_token"]
        await let_pass(identity, 900)

    assert len(set(tabs)) == 20
    assert await audited(identity) == []


@pytest.mark.parametrize("seed", range(3))
async def test_twenty_tabs_that_share_a_storage_may_present_what_they_read_nine_seconds_ago(
    identity: RunningApplication, seed: int
) -> None:
    chance = random.Random(seed)
    stored = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    held: dict[int, str] = {}
    # Each tab reads the storage at one moment and presents what it read at another, up to nine seconds later.
    reads = [(chance.uniform(0, 30), number, "read") for number in range(20)]
    shows = [(at + chance.uniform(0, 9), number, "show") for at, number, _ in reads]

    before = 0.0
    for at, number, act in sorted(reads + shows):
        await let_pass(identity, at - before)
        before = at
        if act == "read":
            held[number] = stored
        else:
            stored = (await refreshed(anybody, held[number]))["refresh_token"]

    assert await is_signed_in(identity, (await refreshed(anybody, stored))["access_token"])
    assert await audited(identity) == []


async def test_a_tab_that_is_late_is_not_signed_out_by_one_that_refreshed_twice(
    identity: RunningApplication,
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    second = (await refreshed(anybody, first))["refresh_token"]
    await refreshed(anybody, second)
    await let_pass(identity, GRACE_SECONDS - 1)

    assert await refreshed(anybody, first)


@pytest.mark.parametrize("refreshes", [1, 3], ids=["the last one", "an older one"])
async def test_after_the_grace_a_repeat_ends_the_session_and_is_logged(
    identity: RunningApplication, caplog: pytest.LogCaptureFixture, refreshes: int
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    newest: dict[str, Any] = {"refresh_token": first}
    for _ in range(refreshes):
        newest = await refreshed(anybody, newest["refresh_token"])
        await let_pass(identity, GRACE_SECONDS + 1)

    with caplog.at_level(logging.WARNING, logger="services.auth_token"):
        replayed = await refresh(anybody, first)

    assert replayed.status_code == 401
    assert (await refresh(anybody, newest["refresh_token"])).status_code == 401
    assert not await is_signed_in(identity, newest["access_token"])
    assert "shown again after its use" in caplog.text
    assert first not in caplog.text
    assert await audited(identity) == [
        {"user_id": 1, "model": "sessions", "record_id": 1, "address": "203.0.113.9"}
    ]


async def test_a_token_shown_by_many_after_the_grace_ends_the_session_once(
    identity: RunningApplication,
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    await refreshed(anybody, first)
    await let_pass(identity, GRACE_SECONDS + 1)

    replayed = await asyncio.gather(*(refresh(anybody, first) for _ in range(10)))

    assert {answer.status_code for answer in replayed} == {401}
    assert len(await audited(identity)) == 1


async def test_a_replay_and_a_rightful_refresh_at_the_same_time_leave_nobody_signed_in(
    identity: RunningApplication,
) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    second = (await refreshed(anybody, first))["refresh_token"]
    await let_pass(identity, GRACE_SECONDS + 1)

    answers = await asyncio.gather(*(refresh(anybody, token) for token in (first, second) * 5))

    fresh = [answer.json()["access_token"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert not any([await is_signed_in(identity, token) for token in fresh])
    assert len(await audited(identity)) == 1


async def test_other_sessions_of_the_user_survive_a_replay(identity: RunningApplication) -> None:
    stolen = (await identity.sign_in(ADMIN))["refresh_token"]
    other = await identity.sign_in(ADMIN)
    anybody = await identity.client()
    await refreshed(anybody, stolen)
    await let_pass(identity, GRACE_SECONDS + 1)

    assert (await refresh(anybody, stolen)).status_code == 401

    assert await is_signed_in(identity, other["access_token"])
    assert await refreshed(anybody, other["refresh_token"])


async def test_a_token_that_was_never_given_out_is_refused(identity: RunningApplication) -> None:
    known = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    bad = ["", "x", "A" * 64, known[:-1], known + "A", known.swapcase(), known.replace(known[0], "!")]

    answers = [await refresh(anybody, token) for token in bad]

    assert [answer.status_code for answer in answers] == [401] * len(bad)
    assert await refreshed(anybody, known)


async def test_refresh_tokens_are_stored_as_hashes_only(identity: RunningApplication) -> None:
    token = (await identity.sign_in(ADMIN))["refresh_token"]

    (row,) = await identity.env.db.fetch("SELECT * FROM refresh_tokens")

    assert len(row["token_hash"]) == 32
    assert token[-20:] not in repr(dict(row))


async def test_what_one_session_may_pile_up_is_bounded(identity: RunningApplication) -> None:
    first = (await identity.sign_in(ADMIN))["refresh_token"]
    anybody = await identity.client()
    last: dict[str, Any] = {}
    for _ in range(MOST_TOKENS + 5):
        last = await refreshed(anybody, first)

    assert await identity.env.db.fetchval("SELECT count(*) FROM refresh_tokens") == MOST_TOKENS + 1
    assert await refreshed(anybody, last["refresh_token"])


async def test_nothing_is_refreshed_after_logout(identity: RunningApplication) -> None:
    signed_in = await identity.sign_in(ADMIN)
    await (await identity.client(token=signed_in["access_token"])).post("/logout")

    assert (await refresh(await identity.client(), signed_in["refresh_token"])).status_code == 401


async def test_nothing_is_refreshed_for_a_user_who_was_disabled(identity: RunningApplication) -> None:
    await identity.as_user("ada")
    signed_in = await identity.sign_in("ada")
    with identity.env.system():
        await disable_user(signed_in["user"]["id"])

    assert (await refresh(await identity.client(), signed_in["refresh_token"])).status_code == 401


@pytest.mark.parametrize("column", ["last_seen_at", "expires_at"])
async def test_a_session_that_is_idle_or_too_old_is_not_refreshed(
    identity: RunningApplication, column: str
) -> None:
    token = (await identity.sign_in(ADMIN))["refresh_token"]
    idle_seconds = AuthSettings().idle_ttl_seconds
    age = idle_seconds + 1 if column == "last_seen_at" else AuthSettings().refresh_ttl_seconds + 1
    await identity.env.db.fetch(f"UPDATE sessions SET {column} = {column} - make_interval(secs => {age})")

    assert (await refresh(await identity.client(), token)).status_code == 401


async def test_a_refresh_keeps_a_session_from_being_idle_and_notes_where_it_came_from(
    identity: RunningApplication,
) -> None:
    token = (await identity.sign_in(ADMIN))["refresh_token"]
    await identity.env.db.fetch("UPDATE sessions SET last_seen_at = last_seen_at - interval '1 day'")
    elsewhere = await identity.client(address="198.51.100.7")

    fresh = await refreshed(elsewhere, token)

    client = await identity.client(token=fresh["access_token"])
    (session,) = (await client.get("/sessions")).json()["data"]
    assert session["address"] == "198.51.100.7"
    assert session["last_seen_at"] > session["created_at"]


async def test_no_access_token_outlives_its_session(database_url: str) -> None:
    auth = AuthSettings(
        secret=SECRET, admin_password=PASSWORD, refresh_ttl_seconds=100, access_ttl_seconds=90
    )
    async with running_application(
        database_url, models=IdentityModels, apps=IdentityApps, auth=auth
    ) as running:
        signed_in = await running.sign_in(ADMIN)
        await running.env.db.fetch("UPDATE sessions SET expires_at = expires_at - interval '60 seconds'")

        fresh = await refreshed(await running.client(), signed_in["refresh_token"])

    assert signed_in["expires_in"] == 90
    assert 30 <= fresh["expires_in"] <= 40
