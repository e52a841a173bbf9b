"""Whatever is sent in the place of a token is refused with 401, at once, and nothing else happens."""

import logging
from collections.abc import AsyncIterator, Mapping
from time import perf_counter

import jwt
import pytest

from tests.support.application import ADMIN, SECRET, RunningApplication, running_application
from tests.support.asgi import Answered, call
from tests.support.bad_tokens import Forge, bad_keys, bad_tokens
from tests.support.identity import IdentityApps, IdentityModels

SECONDS = 0.005
TRIES = 20
"""So often at most is each one sent: it was fast if it was fast once, whatever else the machine did."""


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        yield running


async def forge_of(running: RunningApplication) -> Forge:
    """Whoever makes tokens for a session that is honoured."""
    token = (await running.sign_in(ADMIN))["access_token"]
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="starling")
    return Forge(SECRET.encode(), sub=claims["sub"], sid=claims["sid"])


async def key_of(running: RunningApplication) -> str:
    admin = await running.as_admin()
    answer = await admin.post("/api_keys", json={"name": "a key", "scopes": ["*:*"]})
    key: str = answer.json()["key"]
    return key


async def ask(running: RunningApplication, authorization: str) -> Answered:
    """The answer of /me to that header, sent in UTF-8."""
    raw = authorization.encode("utf-8", "surrogatepass").decode("latin-1")
    return await call(running.app, "GET", "/me", headers=[("Authorization", raw)])


async def seconds_to_refuse(running: RunningApplication, authorization: str) -> float:
    """The shortest time that it took."""
    shortest = 60.0
    for _ in range(TRIES):
        started_at = perf_counter()
        answer = await ask(running, authorization)
        shortest = min(shortest, perf_counter() - started_at)
        assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:starling:unauthenticated"
        if shortest < SECONDS:
            break
    return shortest


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def slow_ones(running: RunningApplication, headers: Mapping[str, str]) -> dict[str, float]:
    taken = {name: await seconds_to_refuse(running, header) for name, header in headers.items()}
    return {name: seconds for name, seconds in taken.items() if seconds >= SECONDS}


async def test_every_bad_token_is_refused_at_once(
    running: RunningApplication, caplog: pytest.LogCaptureFixture
) -> None:
    forge = await forge_of(running)
    assert (await ask(running, f"Bearer {forge.good()}")).status == 200
    tokens = bad_tokens(forge)
    assert len(tokens) >= 150

    with caplog.at_level(logging.DEBUG):
        slow = await slow_ones(running, {name: f"Bearer {token}" for name, token in tokens.items()})

    assert (slow, complaints(caplog)) == ({}, [])
    assert (await ask(running, f"Bearer {forge.good()}")).status == 200


async def test_every_bad_key_is_refused_at_once_in_the_words_of_all_others(
    running: RunningApplication, caplog: pytest.LogCaptureFixture
) -> None:
    good = await key_of(running)
    assert (await ask(running, f"Bearer {good}")).status == 200
    keys = bad_keys(good)

    with caplog.at_level(logging.DEBUG):
        slow = await slow_ones(running, {name: f"Bearer {key}" for name, key in keys.items()})

    assert (slow, complaints(caplog)) == ({}, [])
    forms = ("sk_" + "a" * 12 + "_" + "B" * 43, "sk_x", good[:-1] + ("A" if good[-1] != "A" else "B"))
    details = {(await ask(running, f"Bearer {form}")).json()["detail"] for form in forms}
    assert details == {"The API key is not valid."}


async def test_every_bad_header_is_refused_at_once(running: RunningApplication) -> None:
    good = (await forge_of(running)).good()
    headers = {
        "nothing": "",
        "the scheme alone": "Bearer",
        "the scheme and a blank": "Bearer ",
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "a scheme that begins like it": f"Bearers {good}",
        "a colon": f"Bearer: {good}",
        "no blank": f"Bearer{good}",
        "a tab": f"Bearer\t{good}",
        "two tokens": f"Bearer {good} {good}",
        "quotes": f'Bearer "{good}"',
        "a parameter": f"Bearer token={good}",
        "twice the scheme": f"Bearer Bearer {good}",
        "other letters": f"\u0412earer {good}",
        "two in one header": f"Bearer {good}, Bearer {good}",
        "very long": "Bearer " + "a." * 30_000,
    }

    assert await slow_ones(running, headers) == {}
    for fine in (f"bearer {good}", f"Bearer  {good}"):  # no case, and as many blanks as one likes (RFC 9110)
        assert (await ask(running, fine)).status == 200


async def test_a_token_anywhere_else_is_no_token(running: RunningApplication) -> None:
    good = (await forge_of(running)).good()

    for headers, query in (
        ((("Cookie", f"access_token={good}"),), ""),
        ((("X-Authorization", f"Bearer {good}"),), ""),
        ((("Proxy-Authorization", f"Bearer {good}"),), ""),
        ((), f"access_token={good}"),
        ((("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")), ""),
    ):
        answer = await call(running.app, "GET", "/me", headers=headers, query=query)
        assert answer.status == 401


@pytest.mark.parametrize("kind", ["refresh token", "device cookie"])
async def test_what_else_a_client_was_given_is_no_access_token(
    running: RunningApplication, kind: str
) -> None:
    client = await running.client()
    answer = await client.post("/signin", json={"login": ADMIN, "password": "correct horse battery staple"})
    given = answer.json()["refresh_token"] if kind == "refresh token" else answer.cookies["starling_device"]

    assert (await ask(running, f"Bearer {given}")).status == 401


async def test_an_access_token_is_no_refresh_token(running: RunningApplication) -> None:
    good = (await forge_of(running)).good()
    answer = await (await running.client()).post("/token/refresh", json={"refresh_token": good})

    assert answer.status_code == 401
