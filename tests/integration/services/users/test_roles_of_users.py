import asyncio
from typing import Any

import pytest

from services.security.models import Role
from services.users.actions import create_user
from tests.support.application import ADMIN, PASSWORD, RunningApplication, running_application
from tests.support.identity import IdentityApps, IdentityModels

NEW = {"login": "bob", "name": "Bob", "password": PASSWORD}


async def role_ids(running: RunningApplication) -> dict[str, int]:
    """The ids of all roles by code."""
    with running.env.system():
        return {role.code: role.id for role in await Role.search(fields=["code"])}


async def entries(running: RunningApplication, action: str) -> list[tuple[Any, ...]]:
    rows = await running.env.db.fetch(
        "SELECT user_id, model, record_id FROM audit_log WHERE action = $1 ORDER BY id", action
    )
    return [tuple(row) for row in rows]


async def test_roles_that_ship_are_there_and_a_manager_is_a_base_user(identity: RunningApplication) -> None:
    with identity.env.system():
        found = {
            role.code: [base.code for base in role.based_role_ids]
            for role in await Role.search(fields=["code", "based_role_ids.code"])
        }

    assert found == {"base_user": [], "manager": ["base_user"]}


async def test_every_new_user_is_a_base_user_the_first_administrator_too(
    identity: RunningApplication,
) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()

    made = (await admin.post("/api/users", json=NEW)).json()

    assert made["role_ids"] == [roles["base_user"]]
    first = (await admin.patch("/api/users/1", json={})).json()
    assert (first["login"], first["role_ids"]) == (ADMIN, [roles["base_user"]])


async def test_a_user_is_made_with_the_roles_that_are_given_besides(identity: RunningApplication) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()

    given = [roles["manager"], roles["manager"]]
    made = (await admin.post("/api/users", json=NEW | {"role_ids": given})).json()

    assert sorted(made["role_ids"]) == sorted(roles.values())


@pytest.mark.parametrize("codes", [[], ["manager"], ["base_user", "manager"]])
async def test_a_change_of_roles_leaves_exactly_those(identity: RunningApplication, codes: list[str]) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW)).json()
    wanted = sorted(roles[code] for code in codes)

    answer = await admin.patch(f"/api/users/{made['id']}", json={"role_ids": wanted})

    assert (answer.status_code, sorted(answer.json()["role_ids"])) == (200, wanted)
    assert answer.json() == made | {"role_ids": answer.json()["role_ids"]}


async def test_a_change_of_something_else_leaves_roles_as_they_are(identity: RunningApplication) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW | {"role_ids": [roles["manager"]]})).json()

    answer = await admin.patch(f"/api/users/{made['id']}", json={"name": "Robert"})

    assert answer.json() == made | {"name": "Robert"}


async def test_where_base_user_was_removed_new_users_get_no_role(identity: RunningApplication) -> None:
    await identity.env.db.fetch("DELETE FROM roles WHERE code = 'base_user'")
    admin = await identity.as_admin()

    assert (await admin.post("/api/users", json=NEW)).json()["role_ids"] == []


async def test_users_of_a_version_without_roles_are_base_users_once_and_for_all(database_url: str) -> None:
    async def roles_after_a_start() -> list[str]:
        async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
            rows = await running.env.db.fetch(
                "SELECT login FROM users JOIN user_roles ON user_id = users.id ORDER BY login"
            )
            return [row["login"] for row in rows]

    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        with running.env.system():
            await create_user(login="ada", password=PASSWORD)
        await running.env.db.fetch("DELETE FROM user_roles")
        await running.env.db.fetch("DELETE FROM access_presets WHERE key = 'users before roles'")

    assert await roles_after_a_start() == ["ada", "admin"]
    async with running_application(database_url, models=IdentityModels, apps=IdentityApps) as running:
        await running.env.db.fetch("DELETE FROM user_roles")
    assert await roles_after_a_start() == []


async def test_a_role_that_is_unknown_makes_nobody(identity: RunningApplication) -> None:
    admin = await identity.as_admin()

    answer = await admin.post("/api/users", json=NEW | {"role_ids": [1, 999]})

    assert answer.status_code == 422
    assert answer.json()["detail"] == "There is no role 999."
    assert await identity.env.db.fetchval("SELECT count(*) FROM users") == 1


async def test_a_session_knows_the_roles_of_its_user_and_what_they_are_based_on(
    identity: RunningApplication,
) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    token = ada.headers["authorization"].removeprefix("Bearer ")
    await admin.patch(f"/api/users/{user_id}", json={"role_ids": [roles["manager"]]})
    await ada.get("/me")

    assert identity.env.authenticator is not None
    session = await identity.env.authenticator.verify_access(token)

    assert session.role_codes == {"base_user", "manager"}
    assert session.role_ids == set(roles.values())


async def test_a_change_of_roles_is_in_the_audit_log(identity: RunningApplication) -> None:
    roles, admin = await role_ids(identity), await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW)).json()

    await admin.patch(f"/api/users/{made['id']}", json={"role_ids": [roles["manager"]]})

    rows = await identity.env.db.fetch(
        "SELECT user_id, action FROM audit_log WHERE model = 'user_roles' ORDER BY id"
    )
    # The administrator's own role was given by nobody who asked.
    assert [row["user_id"] for row in rows] == [None, 1, 1, 1]


async def test_a_new_password_and_the_end_of_sessions_are_in_the_audit_log(
    identity: RunningApplication,
) -> None:
    admin = await identity.as_admin()
    bob = (await admin.post("/api/users", json=NEW)).json()["id"]

    await admin.patch(f"/api/users/{bob}", json={"name": "Robert"})
    assert await entries(identity, "password_changed") == await entries(identity, "sessions_ended") == []
    await admin.patch(f"/api/users/{bob}", json={"password": "another password"})
    await admin.patch(f"/api/users/{bob}", json={"active": False})

    assert await entries(identity, "password_changed") == [(1, "users", bob)]
    assert await entries(identity, "sessions_ended") == [(1, "users", bob)] * 2


async def test_a_change_of_ones_own_password_is_in_the_audit_log_without_it(
    identity: RunningApplication,
) -> None:
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]

    await ada.post("/me/password", json={"old": PASSWORD, "new": "another password"})

    assert await entries(identity, "password_changed") == [(user_id, "users", user_id)]
    rows = await identity.env.db.fetch("SELECT row_to_json(audit_log)::text FROM audit_log")
    assert not any("another password" in row[0] or "argon2" in row[0] for row in rows)
    # The row itself was changed by the user, too.
    assert (user_id, "users", user_id) in await entries(identity, "update")


async def test_many_users_made_at_the_same_time_all_get_their_roles(identity: RunningApplication) -> None:
    with identity.env.system():
        made = await asyncio.gather(
            *(create_user(login=f"user{number}", password=PASSWORD) for number in range(8))
        )

    assert [len(user.role_ids) for user in made] == [1] * 8
