"""Words that nobody may ever read are given to the program wherever it takes secrets; then everything that
it says is searched for them: answers, problems, the log, metrics, the audit log, what the database keeps of
sign-in."""

import logging

import asyncpg
import httpx
import pytest

from app.main import create_app  # noqa: F401  # the whole project is what is looked at
from services.auth_token.settings import AuthSettings
from tests.support.application import PASSWORD, running_application

SECRET = "canary-of-the-signing-key-which-is-long-enough"
OLD, NEW, WRONG = "canary password one", "canary password two", "canary password wrong"


async def exchange(client: httpx.AsyncClient, method: str, path: str, **more: object) -> httpx.Response:
    return await client.request(method, path, **more)  # type: ignore[arg-type]


async def test_no_secret_is_ever_told(
    database_url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    canaries = [SECRET, OLD, NEW, WRONG]
    settings = AuthSettings(secret=SECRET, admin_login="admin", admin_password=PASSWORD)
    async with running_application(database_url, auth=settings) as running:
        admin = await running.as_admin()
        nobody = await running.client()
        steps: list[tuple[httpx.AsyncClient, str, str, dict[str, object]]] = [
            (admin, "POST", "/api/users", {"json": {"login": "ada", "name": "Ada", "password": OLD}}),
            (admin, "POST", "/api/users", {"json": {"login": "ada", "name": "Ada", "password": OLD}}),
            (admin, "POST", "/api/users", {"json": {"login": "x", "password": OLD, "nonsense": WRONG[:0]}}),
            (nobody, "POST", "/signin", {"json": {"login": "ada", "password": WRONG}}),
            (nobody, "POST", "/signin", {"json": {"login": "nobody", "password": WRONG}}),
            (nobody, "POST", "/signin", {"content": f'{{"login": "ada", "password": "{WRONG}"'}),
            (admin, "PATCH", "/api/users/2", {"json": {"password": NEW}}),
            (admin, "GET", "/api/users/2", {}),
            (admin, "GET", "/api/users?fields=password_hash", {}),
            (admin, "GET", "/api/audit_log?limit=500", {}),
            (admin, "GET", "/metrics", {}),
            (admin, "GET", "/openapi.json", {}),
            (admin, "GET", "/health/ready", {}),
        ]
        for client, method, path, more in steps:
            answer = await exchange(client, method, path, **more)
            assert answer.status_code < 500, answer.text
            told += [answer.text, str(answer.headers)]
        signed_in = await running.sign_in("ada", NEW)
        canaries += [signed_in["access_token"], signed_in["refresh_token"]]
        ada = await running.client(token=signed_in["access_token"])
        key = await ada.post("/api_keys", json={"name": "a key", "scopes": ["partners:read"]})
        assert key.status_code == 201, key.text
        canaries.append(key.json()["key"])
        for method, path, body in [
            ("GET", "/api_keys", None),
            ("POST", "/me/password", {"old": WRONG, "new": NEW}),
            ("POST", "/me/password", {"old": NEW, "new": OLD}),
            ("GET", "/sessions", None),
            ("POST", "/token/refresh", {"refresh_token": signed_in["refresh_token"] + "x"}),
        ]:
            answer = await exchange(ada, method, path, json=body)
            told += [answer.text, str(answer.headers)]
        told += [(await admin.get("/api/audit_log?limit=500")).text]
    connection = await asyncpg.connect(database_url)
    try:
        for table in ("users", "sessions", "refresh_tokens", "api_keys", "sign_in_buckets", "audit_log"):
            told += [str(row) for row in await connection.fetch(f"SELECT t::text FROM {table} t")]
    finally:
        await connection.close()
    out, err = capfd.readouterr()
    told += [caplog.text, out, err]

    everything = "\n".join(told)
    assert [canary for canary in canaries if canary in everything] == []
    assert "sign" in everything  # it was looked at
