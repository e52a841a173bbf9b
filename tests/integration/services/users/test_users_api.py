from typing import Any

import httpx

from services.users.models import User
from tests.support.application import ADMIN, PASSWORD, RunningApplication

NEW = {"login": "bob", "name": "Bob", "password": PASSWORD}
SHOWN = {"id", "login", "name", "is_admin", "active", "created_at", "role_ids"}


async def test_an_administrator_makes_a_user_who_can_sign_in(identity: RunningApplication) -> None:
    admin = await identity.as_admin()

    answer = await admin.post("/api/users", json=NEW)

    assert answer.status_code == 201
    user = answer.json()
    assert answer.headers["location"] == f"/api/users/{user['id']}"
    assert set(user) == SHOWN
    assert (user["login"], user["name"], user["is_admin"], user["active"]) == ("bob", "Bob", False, True)
    assert (await identity.sign_in("bob"))["user"]["id"] == user["id"]


async def test_a_password_is_stored_as_a_hash_and_never_shown(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    answer = await admin.post("/api/users", json=NEW)

    with identity.env.system():
        stored = await User.get(answer.json()["id"])

    assert stored.password_hash.startswith("$argon2id$")
    assert PASSWORD not in stored.password_hash
    assert "password" not in answer.text


async def test_without_a_name_the_login_stands_for_it(identity: RunningApplication) -> None:
    admin = await identity.as_admin()

    answer = await admin.post("/api/users", json={"login": " Bob ", "password": PASSWORD})

    assert (answer.json()["login"], answer.json()["name"]) == ("bob", "Bob")


IMPOSSIBLE: list[tuple[Any, ...]] = [
    ({}, 422, ["/login", "/password"]),
    ({"login": ""}, 422, ["/login"]),
    ({"login": "  "}, 422, ["/login"]),
    ({"login": "a\u0000b"}, 422, ["/login"]),
    ({"login": "x" * 101}, 422, ["/login"]),
    ({"login": 7}, 422, ["/login"]),
    ({"name": ""}, 422, ["/name"]),
    ({"name": "  "}, 422, ["/name"]),
    ({"name": "x" * 201}, 422, ["/name"]),
    ({"name": "a\u0000b"}, 422, ["/name"]),
    ({"password": "x" * 9}, 422, ["/password"]),
    ({"password": "x" * 129}, 422, ["/password"]),
    ({"is_admin": "yes"}, 422, ["/is_admin"]),
    ({"role_ids": "manager"}, 422, ["/role_ids"]),
    ({"role_ids": ["manager"]}, 422, ["/role_ids/0"]),
    ({"role_ids": [0]}, 422, ["/role_ids/0"]),
    ({"role_ids": [1, 999, 998]}, 422, ["/role_ids/1", "/role_ids/2"]),
    ({"password": "password123"}, 422, ["/password"]),
    ({"login": "ada.lovelace", "password": "Ada.Lovelace"}, 422, ["/password"]),
    ({"password_hash": "x"}, 422, ["/password_hash"]),
    ({"id": 7}, 422, ["/id"]),
    ({"login": ADMIN}, 409, ["/login"]),
    ({"login": f" {ADMIN.upper()} "}, 409, ["/login"]),
]


def pointers(answer: httpx.Response) -> list[str]:
    return [place["pointer"] for place in answer.json()["errors"]]


async def test_a_user_that_cannot_be_is_refused_at_its_place(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    found: list[tuple[Any, ...]] = []
    for body, *_ in IMPOSSIBLE:
        answer = await admin.post("/api/users", json=NEW | body if body else body)
        found.append((body, answer.status_code, pointers(answer)))

    assert found == IMPOSSIBLE
    with identity.env.system():
        assert await User.search_count() == 1


WRITES: list[tuple[Any, ...]] = [
    ("POST", "/api/users", NEW),
    ("PATCH", "/api/users/1", {"name": "Mallory"}),
    ("PATCH", "/api/users/1", {"password": "another password"}),
    ("PATCH", "/api/users/2", {"is_admin": True}),
    ("PATCH", "/api/users/999", {"name": "Mallory"}),
    ("DELETE", "/api/users/1", None),
    ("DELETE", "/api/users/2", None),
]


async def test_nobody_but_administrators_makes_changes_or_removes_users(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    with identity.env.system():
        before = [user.as_dict() for user in await User.search(order="id")]

    answers = [await ada.request(method, path, json=body) for method, path, body in WRITES]

    assert [answer.status_code for answer in answers] == [403] * len(WRITES)
    with identity.env.system():
        assert [user.as_dict() for user in await User.search(order="id")] == before


async def test_a_user_is_changed_in_what_is_given_and_nothing_else(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW)).json()

    answer = await admin.patch(f"/api/users/{made['id']}", json={"name": "Robert", "login": "Robert"})

    assert answer.status_code == 200
    assert answer.json() == made | {"name": "Robert", "login": "robert"}


async def test_a_change_of_nothing_answers_the_user_as_he_is(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW)).json()

    answer = await admin.patch(f"/api/users/{made['id']}", json={})

    assert (answer.status_code, answer.json()) == (200, made)


IMPOSSIBLE_CHANGES: list[tuple[Any, ...]] = [
    ({"login": ""}, 422, ["/login"]),
    ({"login": None}, 422, ["/login"]),
    ({"password": "short"}, 422, ["/password"]),
    ({"created_at": "2026-01-01T00:00:00Z"}, 422, ["/created_at"]),
    ({"credentials_version": 0}, 422, ["/credentials_version"]),
    ({"role_ids": [999]}, 422, ["/role_ids/0"]),
    ({"role_ids": None}, 422, ["/role_ids"]),
    ({"login": ADMIN}, 409, ["/login"]),
]


async def test_a_change_that_cannot_be_is_refused_at_its_place(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    made = (await admin.post("/api/users", json=NEW)).json()
    found: list[tuple[Any, ...]] = []
    for body, *_ in IMPOSSIBLE_CHANGES:
        answer = await admin.patch(f"/api/users/{made['id']}", json=body)
        found.append((body, answer.status_code, pointers(answer)))

    assert found == IMPOSSIBLE_CHANGES


async def test_an_administrator_sets_a_password_and_all_sessions_of_the_user_end(
    identity: RunningApplication,
) -> None:
    admin, ada = await identity.as_admin(), await identity.as_user("ada")
    ada_id = (await ada.get("/me")).json()["id"]

    answer = await admin.patch(f"/api/users/{ada_id}", json={"password": "another password"})

    assert answer.status_code == 200
    assert set(answer.json()) == SHOWN
    assert (await ada.get("/me")).status_code == 401
    await identity.sign_in("ada", "another password")


async def test_a_disabled_user_is_signed_out_for_good_also_when_he_is_enabled_again(
    identity: RunningApplication,
) -> None:
    admin, ada = await identity.as_admin(), await identity.as_user("ada")
    ada_id = (await ada.get("/me")).json()["id"]

    await admin.patch(f"/api/users/{ada_id}", json={"active": False})
    await admin.patch(f"/api/users/{ada_id}", json={"active": True})

    assert (await ada.get("/me")).status_code == 401
    await identity.sign_in("ada")


async def test_a_user_is_removed_with_his_sessions(identity: RunningApplication) -> None:
    admin, ada = await identity.as_admin(), await identity.as_user("ada")
    ada_id = (await ada.get("/me")).json()["id"]

    answer = await admin.delete(f"/api/users/{ada_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await ada.get("/me")).status_code == 401
    assert await identity.env.db.fetchval("SELECT count(*) FROM sessions WHERE user_id = $1", ada_id) == 0
    assert (await admin.delete(f"/api/users/{ada_id}")).status_code == 404


async def test_a_user_that_is_not_there_is_404(identity: RunningApplication) -> None:
    admin = await identity.as_admin()

    assert (await admin.patch("/api/users/999", json={})).status_code == 404
    assert (await admin.delete("/api/users/999")).status_code == 404


async def test_anybody_changes_his_own_name_and_nothing_else(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    before = (await ada.get("/me")).json()

    answer = await ada.patch("/me", json={"name": "Ada Lovelace"})

    assert answer.status_code == 200
    assert answer.json() == before | {"name": "Ada Lovelace"}
    assert (await ada.get("/me")).json() == answer.json()


NOT_OF_ONESELF: list[tuple[Any, ...]] = [
    ({"name": ""}, "/name"),
    ({"name": None}, "/name"),
    ({}, "/name"),
    ({"name": "Ada", "is_admin": True}, "/is_admin"),
    ({"name": "Ada", "login": "root"}, "/login"),
    ({"name": "Ada", "password": PASSWORD}, "/password"),
]


async def test_one_cannot_make_more_of_oneself(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    before = (await ada.get("/me")).json()
    for body, pointer in NOT_OF_ONESELF:
        answer = await ada.patch("/me", json=body)
        assert (body, answer.status_code, pointers(answer)) == (body, 422, [pointer])

    assert (await ada.get("/me")).json() == before


async def test_a_user_is_changed_and_removed_by_who_knows_his_version(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    path = f"/api/users/{(await admin.post('/api/users', json=NEW)).json()['id']}"
    known = {"If-Match": (await admin.get(path)).headers["etag"]}
    assert (await admin.patch(path, json={"name": "Robert"}, headers=known)).status_code == 200
    assert (await admin.patch(path, json={"name": "Bert"}, headers=known)).status_code == 412
    assert (await admin.delete(path, headers=known)).status_code == 412
    assert (await admin.get(path)).json()["name"] == "Robert"
    known = {"If-Match": (await admin.get(path)).headers["etag"]}
    assert (await admin.delete(path, headers=known)).status_code == 204
