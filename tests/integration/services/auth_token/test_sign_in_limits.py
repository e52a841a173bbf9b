"""How often signing in may fail, over HTTP; a process that is told of is an application of its own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from app.core.errors import Unavailable
from services.auth_token.device import Device
from services.auth_token.limits import SignInLimits
from services.auth_token.settings import AuthSettings
from services.users.app import UsersService
from tests.support.application import ADMIN, PASSWORD, SECRET, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels

ATTEMPTS = 3
AUTH = AuthSettings(
    secret=SECRET,
    admin_login=ADMIN,
    admin_password=PASSWORD,
    signin_address_attempts=10,
    signin_account_attempts=ATTEMPTS,
    signin_device_attempts=ATTEMPTS,
)
AUTH_WIDE = AuthSettings(
    signin_address_attempts=1000,
    signin_address_refill_seconds=1000,
    signin_account_attempts=1000,
    signin_account_refill_seconds=1000,
)
HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    async with running_application(
        database_url, models=IdentityModels, apps=IdentityApps, auth=AUTH
    ) as running:
        yield running


async def sign_in(client: httpx.AsyncClient, login: str = ADMIN, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/signin", json={"login": login, "password": password})


async def statuses(
    client: httpx.AsyncClient, count: int, login: str = ADMIN, password: str = "wrong password"
) -> list[int]:
    return [(await sign_in(client, login, password)).status_code for _ in range(count)]


async def let_pass(running: RunningApplication, seconds: float) -> None:
    """Make everything that happened to buckets so far that much older."""
    await running.env.db.fetch(
        "UPDATE sign_in_buckets SET empty_at = empty_at - make_interval(secs => $1)", float(seconds)
    )


async def buckets(running: RunningApplication) -> int:
    """How many buckets are not empty."""
    count: int = await running.env.db.fetchval("SELECT count(*) FROM sign_in_buckets WHERE empty_at > now()")
    return count


async def audited(running: RunningApplication) -> list[dict[str, Any]]:
    rows = await running.env.db.fetch(
        "SELECT record_id, details->>'limit' AS limit, details->>'address' AS address "
        "FROM audit_log WHERE action = 'sign_in_limited' ORDER BY id"
    )
    return [dict(row) for row in rows]


async def test_who_fails_too_often_is_told_when_to_come_back(running: RunningApplication) -> None:
    anybody = await running.client()
    assert await statuses(anybody, ATTEMPTS) == [401] * ATTEMPTS

    refused = await sign_in(anybody)

    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:starling:too_many_requests"
    assert 0 < int(refused.headers["retry-after"]) <= AUTH.signin_account_refill_seconds
    assert f"in {refused.headers['retry-after']} seconds" in refused.json()["detail"]


async def test_the_limit_leaks_away_with_time(running: RunningApplication) -> None:
    anybody = await running.client()
    await statuses(anybody, ATTEMPTS + 1)

    await let_pass(running, AUTH.signin_account_refill_seconds)
    assert await statuses(anybody, 2) == [401, 429]
    await let_pass(running, AUTH.signin_account_refill_seconds)
    assert (await sign_in(anybody)).status_code == 200


async def test_only_failures_count(running: RunningApplication) -> None:
    anybody = await running.client()

    assert await statuses(anybody, ATTEMPTS * 4, password=PASSWORD) == [200] * ATTEMPTS * 4
    assert await buckets(running) == 0


async def test_what_was_right_gives_back_no_more_than_it_was_charged(running: RunningApplication) -> None:
    stranger = await running.client()
    await statuses(stranger, ATTEMPTS - 1)

    assert (await sign_in(stranger)).status_code == 200

    unknown = await running.client(address=ELSEWHERE)
    assert await statuses(unknown, 2) == [401, 429]


async def test_a_login_that_nobody_has_is_limited_like_any_other(running: RunningApplication) -> None:
    for number, login in enumerate((ADMIN, "nobody", "a\0b", "x" * 1000, "")):
        anybody = await running.client(address=f"192.0.2.{number}")
        answers = [await sign_in(anybody, login, "wrong password") for _ in range(ATTEMPTS + 2)]

        assert [answer.status_code for answer in answers] == [401] * ATTEMPTS + [429] * 2
        details = {re.sub(r"\d+", "some", answer.json()["detail"]) for answer in answers}
        assert details == {
            "The login or the password is wrong.",
            "Signing in has failed too often: try again in some seconds.",
        }


async def test_one_address_cannot_try_many_accounts(running: RunningApplication) -> None:
    anybody = await running.client(address=ELSEWHERE)
    tried = [(await sign_in(anybody, f"user{number}", "wrong password")).status_code for number in range(12)]

    assert tried == [401] * 10 + [429] * 2
    # Nobody pays for what was not looked at: the accounts that were refused are not charged.
    other = await running.client(address="192.0.2.1")
    assert await statuses(other, ATTEMPTS, "user11") == [401] * ATTEMPTS


async def test_an_address_does_not_pay_for_an_account_that_others_have_filled(
    running: RunningApplication,
) -> None:
    await statuses(await running.client(address=ELSEWHERE), ATTEMPTS)
    anybody = await running.client()

    assert await statuses(anybody, 20, password=PASSWORD) == [429] * 20

    assert (await sign_in(anybody, "user1", "wrong password")).status_code == 401


async def test_an_ipv6_subscriber_is_one_address(running: RunningApplication) -> None:
    tried = []
    for number in range(12):
        anybody = await running.client(address=f"2001:db8:0:1::{number:x}")
        tried.append((await sign_in(anybody, f"user{number}", "wrong password")).status_code)

    assert tried == [401] * 10 + [429] * 2
    neighbour = await running.client(address="2001:db8:0:2::1")
    assert (await sign_in(neighbour)).status_code == 200


async def test_attempts_at_the_same_time_are_no_more_than_the_limit(running: RunningApplication) -> None:
    clients = [await running.client(address=f"192.0.2.{number}") for number in range(20)]

    answers = await asyncio.gather(*(sign_in(client, ADMIN, "wrong password") for client in clients))

    tried = [answer.status_code for answer in answers]
    assert (tried.count(401), tried.count(429)) == (ATTEMPTS, 20 - ATTEMPTS)


async def test_a_program_that_signs_in_many_times_at_once_is_let_in_each_time(
    running: RunningApplication,
) -> None:
    program = await running.client()

    answers = await asyncio.gather(*(sign_in(program) for _ in range(ATTEMPTS * 4)))

    assert {answer.status_code for answer in answers} == {200}


async def test_a_browser_that_was_here_before_is_let_in_while_strangers_try_the_account(
    running: RunningApplication,
) -> None:
    victim = await running.client()
    first = await sign_in(victim)
    assert first.status_code == 200
    # On the way it got another address, and it is under the same one as an attacker.
    victim = await running.client(address=ELSEWHERE)
    victim.cookies.set("starling_device", first.cookies["starling_device"])
    attacker = await running.client(address=ELSEWHERE)
    attacker.headers["user-agent"] = "another"
    assert (await statuses(attacker, 20))[-1] == 429
    assert (await sign_in(attacker)).status_code == 429

    assert await statuses(victim, 1, password=PASSWORD) == [200]
    # It may even mistype a few times.
    assert await statuses(victim, ATTEMPTS - 1) == [401] * (ATTEMPTS - 1)
    assert (await sign_in(victim)).status_code == 200


async def test_a_program_without_cookies_is_known_by_address_and_user_agent(
    running: RunningApplication,
) -> None:
    assert (await sign_in(await running.client())).status_code == 200
    attacker = await running.client(address=ELSEWHERE)
    assert (await statuses(attacker, ATTEMPTS + 1))[-1] == 429

    assert (await sign_in(await running.client())).status_code == 200
    assert (await sign_in(await running.client(address="192.0.2.1"))).status_code == 429
    other_program = await running.client()
    other_program.headers["user-agent"] = "another"
    assert (await sign_in(other_program)).status_code == 429


async def test_a_known_device_is_let_in_where_its_address_is_used_up(running: RunningApplication) -> None:
    assert (await sign_in(await running.client())).status_code == 200
    attacker = await running.client()
    attacker.headers["user-agent"] = "another"
    for number in range(12):
        await sign_in(attacker, f"user{number}", "wrong password")
    assert (await sign_in(attacker)).status_code == 429

    assert (await sign_in(await running.client())).status_code == 200


async def test_a_known_device_has_a_limit_too(running: RunningApplication) -> None:
    thief = await running.client()
    assert (await sign_in(thief)).status_code == 200

    assert await statuses(thief, ATTEMPTS + 1) == [401] * ATTEMPTS + [429]
    await let_pass(running, AUTH.signin_device_refill_seconds)
    assert (await sign_in(thief)).status_code == 200


async def test_a_device_is_known_to_the_accounts_it_was_used_for_and_to_no_other(
    running: RunningApplication,
) -> None:
    await running.as_user("ada")
    browser = await running.client(address="192.0.2.1")
    assert (await sign_in(browser, "ada")).status_code == 200
    attacker = await running.client(address=ELSEWHERE)
    for login in ("ada", ADMIN):
        await statuses(attacker, ATTEMPTS, login)

    browser.headers["user-agent"] = "changed by an update"
    assert (await sign_in(browser, ADMIN)).status_code == 429
    assert (await sign_in(browser, "ada")).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "ending"),
    [("http", "HttpOnly; SameSite=Strict"), ("https", "HttpOnly; SameSite=Strict; Secure")],
)
async def test_the_cookie_goes_to_the_sign_in_only_and_no_script_sees_it(
    running: RunningApplication, scheme: str, ending: str
) -> None:
    anybody = await running.client()

    answer = await anybody.post(f"{scheme}://testserver/signin", json={"login": ADMIN, "password": PASSWORD})

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("starling_device=")
    assert cookie.endswith(f"; Max-Age=31536000; Path=/signin; {ending}")
    assert (await sign_in(anybody, ADMIN, "wrong password")).headers.get("set-cookie") is None


async def test_the_cookie_gives_no_rights(running: RunningApplication) -> None:
    browser = await running.client()
    await sign_in(browser)

    assert "starling_device" in browser.cookies
    assert (await browser.get("/me")).status_code == 401
    assert (await sign_in(browser, ADMIN, "wrong password")).status_code == 401


async def test_what_nobody_looked_at_is_not_counted(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overrun(stored: str | None, password: str) -> bool:
        raise Unavailable("Too many.", retry_after_seconds=2)

    anybody = await running.client()
    with monkeypatch.context() as patched:
        patched.setattr(running.env.service(UsersService).passwords, "verify", overrun)
        assert await statuses(anybody, ATTEMPTS + 1) == [503] * (ATTEMPTS + 1)

    assert await buckets(running) == 0
    assert await statuses(anybody, 1) == [401]


async def test_who_goes_away_before_he_is_answered_is_counted(
    running: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = asyncio.Event()

    async def never(stored: str | None, password: str) -> bool:
        entered.set()
        return await asyncio.Future()

    anybody = await running.client()
    with monkeypatch.context() as patched:
        patched.setattr(running.env.service(UsersService).passwords, "verify", never)
        trying = asyncio.create_task(sign_in(anybody))
        await entered.wait()
        trying.cancel()
        await asyncio.wait([trying])

    assert await buckets(running) == 2
    assert await statuses(anybody, ATTEMPTS) == [401] * (ATTEMPTS - 1) + [429]


async def test_no_login_stands_in_a_bucket(running: RunningApplication) -> None:
    anybody = await running.client()
    await sign_in(anybody, "my secret password", "ada")

    stored = await running.env.db.fetch(
        "SELECT encode(key, 'escape') AS key, length(key) FROM sign_in_buckets"
    )

    assert [row["length"] for row in stored] == [32, 32]
    assert not any("secret" in row["key"] or "203" in row["key"] for row in stored)


async def test_empty_buckets_are_swept_by_those_who_come_later(running: RunningApplication) -> None:
    anybody = await running.client()
    for number in range(5):
        await sign_in(anybody, f"user{number}", "wrong password")
    await let_pass(running, 3600)

    await sign_in(anybody)

    # Left are the two that the last one was charged to.
    assert await running.env.db.fetchval("SELECT count(*) FROM sign_in_buckets") == 2


async def test_a_flood_of_refusals_is_told_to_the_audit_log_once_an_hour(
    running: RunningApplication,
) -> None:
    anybody = await running.client()
    await statuses(anybody, ATTEMPTS + 5)
    await statuses(anybody, ATTEMPTS + 5, "nobody")
    assert await audited(running) == [
        {"record_id": 1, "limit": "account", "address": HOME},
        {"record_id": None, "limit": "account", "address": HOME},
    ]

    await running.env.db.fetch("UPDATE sign_in_buckets SET refused_at = refused_at - interval '61 minutes'")
    await statuses(anybody, 3)

    assert len(await audited(running)) == 3


async def test_failures_themselves_are_not_in_the_audit_log(running: RunningApplication) -> None:
    before = await running.env.db.fetchval("SELECT count(*) FROM audit_log")
    await statuses(await running.client(), ATTEMPTS)

    assert await running.env.db.fetchval("SELECT count(*) FROM audit_log") == before


async def test_the_old_password_cannot_be_guessed_by_who_has_a_session(running: RunningApplication) -> None:
    ada = await running.as_user("ada")

    async def change(old: str, new: str = "another password") -> httpx.Response:
        return await ada.post("/me/password", json={"old": old, "new": new})

    too_easy = [(await change(PASSWORD, "password123")).status_code for _ in range(ATTEMPTS + 1)]
    assert too_easy == [422] * (ATTEMPTS + 1)
    wrong = [(await change(f"wrong password {number}")).status_code for number in range(ATTEMPTS)]
    assert wrong == [422] * ATTEMPTS

    refused = await change(PASSWORD)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= AUTH.signin_device_refill_seconds
    # Signing in is another matter.
    assert (await sign_in(await running.client(), "ada")).status_code == 200
    await let_pass(running, AUTH.signin_device_refill_seconds)
    assert (await change(PASSWORD)).status_code == 204


async def test_without_limits_one_may_fail_for_ever(database_url: str) -> None:
    auth = AuthSettings(
        secret=SECRET,
        admin_password=PASSWORD,
        signin_address_attempts=0,
        signin_account_attempts=0,
        signin_device_attempts=0,
    )
    async with running_application(
        database_url, models=IdentityModels, apps=IdentityApps, auth=auth
    ) as running:
        assert await statuses(await running.client(), 15) == [401] * 15


async def test_all_processes_count_together(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                running_application(database_url, models=IdentityModels, apps=IdentityApps, auth=AUTH)
            )
            for _ in range(2)
        ]
        clients = [await processes[number % 2].client(address=f"192.0.2.{number}") for number in range(20)]

        answers = await asyncio.gather(*(sign_in(client, ADMIN, "wrong password") for client in clients))

        tried = [answer.status_code for answer in answers]
        assert (tried.count(401), tried.count(429)) == (ATTEMPTS, 20 - ATTEMPTS)
        for process in processes:
            assert (await sign_in(await process.client(address=HOME))).status_code == 429


async def test_charging_and_giving_back_at_the_same_time_never_stands_in_each_others_way(
    running: RunningApplication,
) -> None:
    limits = [SignInLimits(running.env.db, AUTH_WIDE, AUTH.keys()) for _ in range(2)]

    async def attempt(number: int) -> None:
        device = Device(f"192.0.2.{number % 3}", f"agent {number}")
        async with limits[number % 2].signing_in(f"user{number % 4}", device, None) as one:
            one.is_right = number % 5 > 0

    with running.env.bind():
        await asyncio.gather(*(attempt(number) for number in range(200)))
        # Once more while all of these are swept.
        await let_pass(running, 10**6)
        await asyncio.gather(*(attempt(number) for number in range(200)))

    # What is left are the failures: 40 of them, at an address and at an account each.
    seconds = await running.env.db.fetchval(
        "SELECT extract(epoch FROM sum(empty_at - now()))::float8 FROM sign_in_buckets WHERE empty_at > now()"
    )
    assert 40 * 2 * 1000 - 3600 < seconds <= 40 * 2 * 1000
