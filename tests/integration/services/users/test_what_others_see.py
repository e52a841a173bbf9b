"""What users see of each other, over the API of the whole project."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from services.security.models import AccessList, Role, Rule
from services.users.actions import create_user, disable_user, update_user
from tests.support.application import PASSWORD, RunningApplication, running_application

EVERYTHING = {"id", "login", "name", "is_admin", "active", "created_at"}


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    async with running_application(database_url) as running:
        with running.env.system():
            await create_user(login="bob", password=PASSWORD)
            gone = await create_user(login="gone", password=PASSWORD)
            await disable_user(gone.id)
        yield running


async def test_a_user_sees_id_login_and_name_of_active_users(running: RunningApplication) -> None:
    ada = await running.as_user("ada")

    shown = (await ada.get("/api/users?order=login")).json()["data"]

    assert [user["login"] for user in shown] == ["ada", "admin", "bob"]
    assert all(set(user) == {"id", "login", "name"} for user in shown)
    assert (await ada.get("/api/users/2")).json() == {"id": 2, "login": "bob", "name": "bob"}
    assert (await ada.get("/api/users/3")).status_code == 404
    assert (await ada.get("/api/users?count=exact")).json()["total"] == 3


async def test_an_administrator_sees_everybody_and_more_of_them(running: RunningApplication) -> None:
    admin = await running.as_admin()

    shown = (await admin.get("/api/users?order=login")).json()["data"]

    assert [user["login"] for user in shown] == ["admin", "bob", "gone"]
    assert all(set(user) == EVERYTHING for user in shown)
    roles = (await admin.get("/api/users/2?fields=login,role_ids")).json()
    assert (roles["login"], len(roles["role_ids"])) == ("bob", 1)


def naming(field: str) -> list[dict[str, str]]:
    """Queries that name a field in each of the places where one can."""
    places = [{"fields": f"login,{field}"}, {"filter": f'[["{field}", "is not null"]]'}, {"order": field}]
    if "role_ids" in field:
        return [places[0], {"filter": '[["role_ids.id", "=", 1]]'}]
    return places


async def refusals(asker: httpx.AsyncClient, fields: Sequence[str]) -> dict[str, list[int]]:
    """By field, how naming it was answered."""
    return {
        field: [(await asker.get("/api/users", params=params)).status_code for params in naming(field)]
        for field in fields
    }


@pytest.mark.parametrize("is_manager", [False, True], ids=["a user", "a manager"])
async def test_what_is_for_administrators_cannot_be_asked_for(
    running: RunningApplication, is_manager: bool
) -> None:
    ada = await running.as_user("ada")
    if is_manager:
        with running.env.system():
            (manager,) = await Role.search([("code", "=", "manager")], ["id"])
            await update_user((await ada.get("/me")).json()["id"], role_ids=[manager.id])

    found = await refusals(ada, ["is_admin", "active", "created_at", "role_ids", "role_ids.code"])

    assert {status for answers in found.values() for status in answers} == {403}, found


@pytest.mark.parametrize("login", ["ada", "admin"])
async def test_what_is_private_is_shown_to_nobody(running: RunningApplication, login: str) -> None:
    asker = await running.as_user(login)

    assert await refusals(asker, ["password_hash", "credentials_version", "password"]) == {
        "password_hash": [403] * 3,
        "credentials_version": [403] * 3,
        "password": [422] * 3,
    }
    shown = (await asker.get("/api/users")).text
    assert "password" not in shown
    assert "credentials" not in shown


WRITES: list[tuple[Any, ...]] = [
    ("POST", "/api/users", {"login": "eve", "password": PASSWORD}),
    ("PATCH", "/api/users/2", {"name": "Mallory"}),
    ("PATCH", "/api/users/2", {"role_ids": [2]}),
    ("DELETE", "/api/users/2", None),
]


async def test_users_are_written_by_administrators(running: RunningApplication) -> None:
    ada = await running.as_user("ada")

    answers = [await ada.request(method, path, json=body) for method, path, body in WRITES]

    assert [answer.status_code for answer in answers] == [403] * len(WRITES)


async def give_users_to_base_users(running: RunningApplication) -> None:
    """What an administrator may do by mistake, or to let somebody keep names."""
    with running.env.system():
        of_users = [("model", "=", "users")]
        await AccessList.update_bulk(of_users, can_create=True, can_update=True, can_delete=True)
        await Rule.update_bulk(of_users, operations=["read", "update"])


async def test_whoever_may_write_users_gives_no_rights_and_no_passwords(running: RunningApplication) -> None:
    ada = await running.as_user("ada")
    await give_users_to_base_users(running)
    stored = "SELECT json_agg(users ORDER BY id)::text FROM users"
    before = await running.env.db.fetchval(stored)

    for method, path, body in (
        ("PATCH", "/api/users/2", {"is_admin": True}),
        ("PATCH", "/api/users/2", {"active": False}),
        ("PATCH", "/api/users/2", {"password": "another password"}),
        ("PATCH", "/api/users/2", {"role_ids": []}),
        ("POST", "/api/users", {"login": "eve", "password": PASSWORD}),
    ):
        assert (body, (await ada.request(method, path, json=body)).status_code) == (body, 403)

    assert await running.env.db.fetchval(stored) == before
    answer = await ada.patch("/api/users/2", json={"name": "Robert"})
    assert (answer.status_code, answer.json()) == (200, {"id": 2, "login": "bob", "name": "Robert"})


async def test_a_key_reads_users_with_the_scope_for_it(running: RunningApplication) -> None:
    admin = await running.as_admin()
    found = {}
    for scope in ("users:read", "*:read", "*:*", "users:update", "roles:read"):
        key = (await admin.post("/api_keys", json={"name": "a key", "scopes": [scope]})).json()["key"]
        program = await running.client(token=key)
        found[scope] = [(await program.get(path)).status_code for path in ("/api/users", "/api/users/2")]

    assert found == {
        "users:read": [200, 200],
        "*:read": [200, 200],
        "*:*": [200, 200],
        "users:update": [403, 403],
        "roles:read": [403, 403],
    }
