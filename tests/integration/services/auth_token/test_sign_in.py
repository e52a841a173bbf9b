import asyncio
import time
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher

from app.core.errors import Unavailable
from services.auth_token.settings import AuthSettings
from services.users.actions import create_user, disable_user
from services.users.app import UsersService
from services.users.models import User
from services.users.passwords import MOST_PENDING
from tests.support.application import ADMIN, PASSWORD, SECRET, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels


async def answer_with(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """The first answer of /me with that status."""
    async with asyncio.timeout(5):
        while (answer := await client.get("/me")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return answer


async def test_a_user_signs_in_and_is_known_by_his_token(identity: RunningApplication) -> None:
    anybody = await identity.client()

    answer = await anybody.post("/signin", json={"login": ADMIN, "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert body["user"] == {"id": 1, "login": ADMIN, "name": ADMIN, "is_admin": True}
    me = await (await identity.client(token=body["access_token"])).get("/me")
    assert (me.status_code, me.json()) == (200, body["user"])


async def test_case_and_blanks_around_a_login_do_not_matter(identity: RunningApplication) -> None:
    await identity.as_user("ada")

    for login in ("ada", " ADA ", "Ada\n"):
        assert (await identity.sign_in(login))["user"]["login"] == "ada"


async def test_nobody_can_tell_why_a_sign_in_was_refused(identity: RunningApplication) -> None:
    with identity.env.system():
        await create_user(login="ada", password=PASSWORD)
        gone = await create_user(login="gone", password=PASSWORD)
        await disable_user(gone.id)
    anybody = await identity.client()

    refused = []
    for login, password in [
        ("ada", PASSWORD + "x"),
        ("ada", ""),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("", PASSWORD),
        ("a\0b", PASSWORD),
        ("x" * 200, PASSWORD),
        ("ada", "x" * 1000),
    ]:
        answer = await anybody.post("/signin", json={"login": login, "password": password})
        assert answer.headers["www-authenticate"] == "Bearer"
        refused.append((answer.status_code, {**answer.json(), "instance": None}))

    assert [status for status, _ in refused] == [401] * 8
    assert all(problem == refused[0][1] for _, problem in refused)
    assert refused[0][1]["detail"] == "The login or the password is wrong."


async def test_failures_are_counted_by_their_reason(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overrun(stored: str | None, password: str) -> bool:
        raise Unavailable("Too many.", retry_after_seconds=2)

    await identity.sign_in(ADMIN)
    here = await identity.client(address="127.0.0.1")
    for _ in range(2):
        await here.post("/signin", json={"login": ADMIN, "password": "wrong"})
    monkeypatch.setattr(identity.env.service(UsersService).passwords, "verify", overrun)
    await here.post("/signin", json={"login": ADMIN, "password": PASSWORD})

    lines = (await here.get("/metrics")).text.splitlines()
    assert [line for line in lines if line.startswith("starling_sign_in_failures_total")] == [
        'starling_sign_in_failures_total{reason="unauthenticated"} 2',
        'starling_sign_in_failures_total{reason="unavailable"} 1',
    ]


MALFORMED: list[tuple[Any, ...]] = [
    ({}, ["/login", "/password"]),
    ({"login": "ada"}, ["/password"]),
    ({"login": "ada", "password": 7}, ["/password"]),
    ({"login": "ada", "password": PASSWORD, "remember": True}, ["/remember"]),
    ({"login": "ada", "password": "x" * 2000}, ["/password"]),
]


async def test_a_sign_in_in_the_wrong_form_says_where(identity: RunningApplication) -> None:
    anybody = await identity.client()
    found: list[tuple[Any, ...]] = []
    for body, _ in MALFORMED:
        answer = await anybody.post("/signin", json=body)
        assert answer.status_code == 422, body
        found.append((body, [place["pointer"] for place in answer.json()["errors"]]))

    assert found == MALFORMED


async def test_a_hash_with_older_parameters_is_made_anew_when_its_user_signs_in(
    identity: RunningApplication,
) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with identity.env.system():
        user = await create_user(login="ada", password=PASSWORD)
        await user.update(password_hash=older)

    await identity.sign_in("ada")

    with identity.env.system():
        stored = await User.get(user.id, ["password_hash", "credentials_version"])
    assert not identity.env.service(UsersService).passwords.is_outdated(stored.password_hash)
    assert stored.credentials_version == 0
    await identity.sign_in("ada")


async def test_a_flood_of_sign_ins_is_refused_with_503_and_a_time_to_come_back(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overrun(stored: str | None, password: str) -> bool:
        raise Unavailable("Too many.", retry_after_seconds=2)

    monkeypatch.setattr(identity.env.service(UsersService).passwords, "verify", overrun)

    answer = await (await identity.client()).post("/signin", json={"login": ADMIN, "password": PASSWORD})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


async def test_many_sign_in_at_once_and_each_is_answered(identity: RunningApplication) -> None:
    anybody = await identity.client()

    answers = await asyncio.gather(
        *(
            anybody.post("/signin", json={"login": ADMIN, "password": PASSWORD})
            for _ in range(MOST_PENDING + 20)
        )
    )

    tokens = {answer.json()["access_token"] for answer in answers if answer.status_code == 200}
    assert len(tokens) >= MOST_PENDING
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code != 200)
    assert {answer.status_code for answer in answers} <= {200, 503}


async def test_without_a_token_every_private_route_is_401(identity: RunningApplication) -> None:
    anybody = await identity.client()

    answers = [
        await anybody.request(*route.split())
        for route in (
            "GET /me",
            "PATCH /me",
            "POST /me/password",
            "POST /logout",
            "GET /sessions",
            "DELETE /sessions/1",
            "POST /sessions/terminate_all",
            "GET /api_keys",
            "POST /api_keys",
            "DELETE /api_keys/1",
            "POST /api/users",
            "PATCH /api/users/1",
            "DELETE /api/users/1",
        )
    ]

    assert [answer.status_code for answer in answers] == [401] * 13


async def test_a_token_signed_with_our_key_for_a_session_that_never_was_is_refused(
    identity: RunningApplication,
) -> None:
    now = int(time.time())
    claims = {"iss": "starling", "aud": "starling", "sub": "1", "sid": "999", "jti": "x", "iat": now}
    forged = jwt.encode(claims | {"exp": now + 60}, SECRET, headers={"typ": "at+jwt", "kid": "1"})

    answer = await (await identity.client(token=forged)).get("/me")

    assert answer.status_code == 401


async def test_the_session_of_one_user_is_not_that_of_another(identity: RunningApplication) -> None:
    await identity.as_user("ada")
    session_of_ada = jwt.decode(
        (await identity.sign_in("ada"))["access_token"], SECRET, algorithms=["HS256"], audience="starling"
    )
    forged = jwt.encode(session_of_ada | {"sub": "1"}, SECRET, headers={"typ": "at+jwt", "kid": "1"})

    answer = await (await identity.client(token=forged)).get("/me")

    assert answer.status_code == 401


async def test_an_access_token_expires(database_url: str) -> None:
    auth = AuthSettings(secret=SECRET, admin_password=PASSWORD, access_ttl_seconds=1)
    async with running_application(
        database_url, models=IdentityModels, apps=IdentityApps, auth=auth
    ) as running:
        signed_in = await running.sign_in(ADMIN)
        client = await running.client(token=signed_in["access_token"])
        assert signed_in["expires_in"] == 1

        answer = await answer_with(client, 401)

    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]


async def test_keys_can_be_rotated_without_signing_anybody_out(database_url: str) -> None:
    def auth(secret: str) -> AuthSettings:
        return AuthSettings(secret=secret, admin_password=PASSWORD)

    old, new = "1:" + "o" * 32, "2:" + "n" * 32
    parts: dict[str, Any] = {"models": IdentityModels, "apps": IdentityApps}
    async with running_application(database_url, auth=auth(old), **parts) as running:
        token = (await running.sign_in(ADMIN))["access_token"]
    async with running_application(database_url, auth=auth(f"{new},{old}"), **parts) as running:
        assert (await (await running.client(token=token)).get("/me")).status_code == 200
        fresh = (await running.sign_in(ADMIN))["access_token"]
    async with running_application(database_url, auth=auth(new), **parts) as running:
        assert (await (await running.client(token=token)).get("/me")).status_code == 401
        assert (await (await running.client(token=fresh)).get("/me")).status_code == 200
