"""What signing in costs: the same for whoever is refused, and not so much that others have to wait."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher, extract_parameters

from app.core.request_context import request_id
from orm.link import Link
from services.users.actions import create_user, disable_user, set_password
from services.users.app import UsersService
from services.users.models import User
from services.users.passwords import LANES, MEMORY_KIB, PASSES
from tests.support.application import ADMIN, PASSWORD, RunningApplication, running_application
from tests.support.asgi import call
from tests.support.identity import IdentityApps, IdentityModels

OLDER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def identity(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningApplication]:
    """With passwords that are as dear as they are in earnest: other tests make them cheap."""
    monkeypatch.setattr("services.users.passwords.MEMORY_KIB", MEMORY_KIB)
    monkeypatch.setattr("services.users.passwords.PASSES", PASSES)
    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        yield running


class Cost:
    """What happened inside the block: statements that were sent, and passwords that were hashed."""

    statements = 0
    hashes = 0


@contextmanager
def cost(running: RunningApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cost]:
    found, fetch = Cost(), Link.fetch

    async def counted(link: Link, text: str, values: Sequence[Any]) -> list[Any]:
        found.statements += request_id.get() is not None  # tasks of the program have statements, too
        return await fetch(link, text, values)

    passwords = running.env.service(UsersService).passwords
    hasher = passwords._hasher

    class Counting:
        def verify(self, stored: str, password: bytes) -> bool:
            parameters = extract_parameters(stored)
            chosen = (MEMORY_KIB, PASSES, LANES)
            assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == chosen
            found.hashes += 1
            return hasher.verify(stored, password)

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "_hasher", Counting())
        patched.setattr(Link, "fetch", counted)
        yield found


async def test_whoever_is_refused_costs_the_same_statements_and_the_same_hash(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    with identity.env.system():
        await create_user(login="ada", password=PASSWORD)
        gone = await create_user(login="gone", password=PASSWORD)
        await disable_user(gone.id)
    anybody = await identity.client()
    await anybody.post("/signin", json={"login": "nobody", "password": "once to prepare statements"})

    costs = {}
    for login, password in (
        ("nobody", PASSWORD),
        ("ada", "wrong password"),
        ("ada", ""),
        ("gone", PASSWORD),
        ("gone", "wrong password"),
    ):
        with cost(identity, monkeypatch) as found:
            answer = await anybody.post("/signin", json={"login": login, "password": password})
        assert answer.status_code == 401
        costs[login, password] = (found.statements, found.hashes)

    assert set(costs.values()) == {(2, 1)}, costs


async def test_an_unknown_login_takes_as_long_as_a_wrong_password(identity: RunningApplication) -> None:
    await identity.as_user("ada")

    async def seconds(login: str, number: int) -> float:
        anybody = await identity.client(address=f"192.0.{number}.1")
        before = perf_counter()
        answer = await anybody.post("/signin", json={"login": login, "password": "wrong password"})
        assert answer.status_code == 401
        return perf_counter() - before

    taken = [(await seconds("ada", number), await seconds("nobody", number)) for number in range(8)]
    # The shortest of each: whatever else the machine does only adds to it. Unhashed, it would be a tenth.
    known, unknown = (min(times) for times in zip(*taken, strict=True))

    assert 0.5 < unknown / known < 2


async def test_who_is_over_the_limit_costs_no_hash(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    anybody = await identity.client()
    body = {"login": ADMIN, "password": "wrong password"}
    while (await anybody.post("/signin", json=body)).status_code != 429:
        pass

    with cost(identity, monkeypatch) as found:
        answers = [await anybody.post("/signin", json=body) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [429] * 5
    assert (found.statements, found.hashes) == (5, 0)


async def test_a_flood_of_sign_ins_does_not_keep_others_waiting(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    await ada.get("/me")

    async def attempt(number: int) -> int:
        body = msgspec.json.encode({"login": f"user{number}", "password": PASSWORD})
        headers = [("Content-Type", "application/json")]
        answer = await call(
            identity.app, "POST", "/signin", body, headers=headers, client=f"192.0.2.{number}"
        )
        return answer.status

    began_at = perf_counter()
    flooding = asyncio.ensure_future(asyncio.gather(*map(attempt, range(20))))
    taken = []
    while not flooding.done():
        started_at = perf_counter()
        assert (await ada.get("/me")).status_code == 200
        taken.append(perf_counter() - started_at)
    lasted = perf_counter() - began_at

    assert set(await flooding) == {401}
    # Were passwords hashed where requests are served, one of them would have waited for all.
    assert max(taken) < lasted / 2
    assert len(taken) > 20


@pytest.mark.parametrize("who", ["oneself", "an administrator"])
async def test_a_new_password_is_hashed_with_the_parameters_of_today(
    identity: RunningApplication, who: str
) -> None:
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    await identity.env.db.fetch("UPDATE users SET password_hash = $1", OLDER.hash(PASSWORD))

    if who == "oneself":
        answer = await ada.post("/me/password", json={"old": PASSWORD, "new": "another password"})
        assert answer.status_code == 204
    else:
        with identity.env.system():
            await set_password(user_id, "another password")

    passwords = identity.env.service(UsersService).passwords
    with identity.env.system():
        stored = (await User.get(user_id, ["password_hash"])).password_hash
    assert not passwords.is_outdated(stored)
    assert await passwords.verify(stored, "another password")


async def test_the_same_password_again_is_hashed_anew(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    hashes = "SELECT password_hash FROM users WHERE login = 'ada'"
    before = await identity.env.db.fetchval(hashes)

    assert (await ada.post("/me/password", json={"old": PASSWORD, "new": PASSWORD})).status_code == 204

    assert await identity.env.db.fetchval(hashes) != before
