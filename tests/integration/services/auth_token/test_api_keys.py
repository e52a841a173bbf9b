import asyncio
import datetime
from typing import Any

import httpx
import pytest

from services.auth_token.actions.keys import MOST_KEYS
from services.auth_token.key_uses import KeyUses
from services.users.actions import disable_user
from tests.support.application import PASSWORD, RunningApplication

NEW = {"name": "backup", "scopes": ["users:read", "me:*"]}
SHOWN = {"id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at"}


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api_keys", json=NEW | changes)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def entries(running: RunningApplication, action: str) -> list[dict[str, Any]]:
    rows = await running.env.db.fetch(
        "SELECT user_id, model, record_id, details::text AS details FROM audit_log WHERE action = $1", action
    )
    return [dict(row) for row in rows]


async def test_a_key_is_shown_once_and_signs_its_user_in(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")

    answer = await ada.post("/api_keys", json=NEW)

    assert answer.status_code == 201
    key = answer.json()
    assert set(key) == SHOWN | {"key"}
    assert (key["name"], key["scopes"]) == ("backup", ["me:*", "users:read"])
    assert (key["expires_at"], key["last_used_at"]) == (None, None)
    assert key["key"].startswith(f"sk_{key['prefix']}_")
    assert answer.headers["location"] == f"/api_keys/{key['id']}"
    assert answer.headers["cache-control"] == "no-store"
    program = await identity.client(token=key["key"])
    assert (await program.get("/me")).json()["login"] == "ada"
    listed = (await ada.get("/api_keys")).json()["data"]
    assert [set(one) for one in listed] == [SHOWN]
    assert key["key"] not in (await ada.get("/api_keys")).text


async def test_a_key_is_stored_as_a_hash_only(identity: RunningApplication) -> None:
    key = await made(await identity.as_user("ada"))

    (row,) = await identity.env.db.fetch("SELECT * FROM api_keys")

    assert len(row["secret_hash"]) == 32
    assert key["key"][16:] not in repr(dict(row))
    logged = await identity.env.db.fetch("SELECT row_to_json(audit_log)::text FROM audit_log")
    assert key["key"][16:] not in repr(logged)


async def test_making_and_removing_a_key_is_in_the_audit_log(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    key = await made(ada)
    await ada.delete(f"/api_keys/{key['id']}")

    for action in ("api_key_created", "api_key_removed"):
        (entry,) = await entries(identity, action)
        assert (entry["user_id"], entry["model"], entry["record_id"]) == (user_id, "api_keys", key["id"])
        assert key["prefix"] in entry["details"]
        assert key["key"] not in entry["details"]


IMPOSSIBLE: list[tuple[Any, ...]] = [
    ({"name": ""}, ["/name"]),
    ({"name": "  "}, ["/name"]),
    ({"name": "x" * 101}, ["/name"]),
    ({"name": "a\u0000b"}, ["/name"]),
    ({"name": None}, ["/name"]),
    ({"scopes": []}, ["/scopes"]),
    ({"scopes": None}, ["/scopes"]),
    ({"scopes": "users:read"}, ["/scopes"]),
    ({"scopes": [1]}, ["/scopes/0"]),
    ({"scopes": ["users:read", "users", "users:write", "no:read"]}, [f"/scopes/{i}" for i in (1, 2, 3)]),
    ({"scopes": ["x" * 200]}, ["/scopes/0"]),
    ({"scopes": ["users:read\u0000"]}, ["/scopes/0"]),
    ({"expires_at": "2020-01-01T00:00:00Z"}, ["/expires_at"]),
    ({"expires_at": "2100-01-01T00:00:00"}, ["/expires_at"]),
    ({"expires_at": "soon"}, ["/expires_at"]),
    ({"expires_at": "9999-12-31T23:59:59-12:00"}, ["/expires_at"]),
    ({"expires_at": "0001-01-01T00:00:00+12:00"}, ["/expires_at"]),
    ({"user_id": 1}, ["/user_id"]),
]  # fmt: skip


async def test_a_key_that_cannot_be_is_refused_at_its_place(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    found: list[tuple[Any, ...]] = []
    for body, _ in IMPOSSIBLE:
        answer = await ada.post("/api_keys", json=NEW | body)
        assert answer.status_code == 422, body
        found.append((body, [place["pointer"] for place in answer.json()["errors"]]))

    assert found == IMPOSSIBLE
    assert (await ada.get("/api_keys")).json() == {"data": []}


async def test_a_key_without_scopes_may_do_what_its_user_may(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    key = (await ada.post("/api_keys", json={"name": "all"})).json()
    assert key["scopes"] == ["*:*"]
    program = await identity.client(token=key["key"])
    assert (await program.patch("/me", json={"name": "Ada"})).status_code == 200


async def test_keys_belong_to_one_user_and_others_do_not_find_them(identity: RunningApplication) -> None:
    ada, admin = await identity.as_user("ada"), await identity.as_admin()
    key = await made(ada)

    assert (await admin.get("/api_keys")).json() == {"data": []}
    assert (await admin.delete(f"/api_keys/{key['id']}")).status_code == 404
    assert (await ada.delete(f"/api_keys/{key['id'] + 1}")).status_code == 404
    assert (await (await identity.client(token=key["key"])).get("/me")).status_code == 200


async def test_a_removed_key_is_refused_and_is_removed_once(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    key = await made(ada)
    program = await identity.client(token=key["key"])
    assert (await program.get("/me")).status_code == 200

    assert (await ada.delete(f"/api_keys/{key['id']}")).status_code == 204

    answer = await program.get("/me")
    assert (answer.status_code, answer.json()["detail"]) == (401, "The API key is not valid.")
    assert (await ada.delete(f"/api_keys/{key['id']}")).status_code == 404
    assert (await ada.get("/api_keys")).json() == {"data": []}


async def test_a_key_ends_when_it_expires_also_where_it_is_remembered(
    identity: RunningApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await identity.as_user("ada")
    expires_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    key = await made(ada, expires_at=expires_at.isoformat())
    program = await identity.client(token=key["key"])
    assert (await program.get("/me")).status_code == 200

    # In memory it is over by the clock of the process ...
    now = "services.auth_token.authenticator.time"
    monkeypatch.setattr(now, lambda: expires_at.timestamp() + 1)
    asked: list[str] = []
    verify = identity.env.authenticator.verify_access  # type: ignore[union-attr]

    async def noted(token: str) -> Any:
        asked.append(token)
        return await verify(token)

    monkeypatch.setattr(identity.env.authenticator, "verify_access", noted)
    await program.get("/me")
    assert asked == [key["key"]]
    monkeypatch.undo()
    # ... and in the database by its own.
    await identity.env.db.fetch("UPDATE api_keys SET expires_at = now()")

    async with asyncio.timeout(5):
        while (await program.get("/me")).status_code != 401:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await ada.get("/api_keys")).json() == {"data": []}


async def test_the_time_of_an_end_is_told_in_utc(identity: RunningApplication) -> None:
    key = await made(await identity.as_user("ada"), expires_at="2100-01-01T01:00:00+02:00")

    assert key["expires_at"] == "2099-12-31T23:00:00Z"


async def test_keys_of_a_disabled_user_are_refused(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    program = await identity.client(token=(await made(ada))["key"])
    assert (await program.get("/me")).status_code == 200
    with identity.env.system():
        await disable_user((await ada.get("/me")).json()["id"])

    assert (await program.get("/me")).status_code == 401


async def test_a_new_password_leaves_keys_as_they_are(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    program = await identity.client(token=(await made(ada))["key"])
    await ada.post("/me/password", json={"old": PASSWORD, "new": "another password"})

    assert (await program.get("/me")).status_code == 200


FOR_PEOPLE: list[tuple[Any, ...]] = [
    ("GET", "/api_keys", None),
    ("POST", "/api_keys", NEW),
    ("DELETE", "/api_keys/1", None),
    ("GET", "/sessions", None),
    ("DELETE", "/sessions/1", None),
    ("POST", "/sessions/terminate_all", None),
    ("POST", "/me/password", {"old": PASSWORD, "new": "another password"}),
    ("POST", "/logout", None),
]


@pytest.mark.parametrize("login", ["ada", "admin"])
async def test_no_key_manages_keys_sessions_or_passwords(identity: RunningApplication, login: str) -> None:
    user = await identity.as_user(login)
    program = await identity.client(token=(await made(user, scopes=["*:*"]))["key"])

    for method, path, body in FOR_PEOPLE:
        answer = await program.request(method, path, json=body)
        assert (method, path, answer.status_code) == (method, path, 403)
        assert "API key" in answer.json()["detail"]

    assert (await user.get("/me")).status_code == 200
    assert len((await user.get("/api_keys")).json()["data"]) == 1


async def test_not_even_a_key_of_an_administrator_sets_passwords_or_makes_administrators(
    identity: RunningApplication,
) -> None:
    admin = await identity.as_admin()
    program = await identity.client(token=(await made(admin, scopes=["*:*"]))["key"])

    new = {"login": "bob", "password": "another password"}
    answers = [
        await program.post("/api/users", json=new),
        await program.patch("/api/users/1", json={"password": "another password"}),
        await program.patch("/api/users/1", json={"is_admin": True}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert (await program.patch("/api/users/1", json={"name": "Root"})).status_code == 200


SCOPES: list[tuple[Any, ...]] = [
    (["*:*"], "GET", "/me", 200),
    (["*:read"], "GET", "/me", 200),
    (["me:read"], "GET", "/me", 200),
    (["me:read"], "PATCH", "/me", 403),
    (["me:update"], "PATCH", "/me", 200),
    (["users:*"], "GET", "/me", 200),  # whose key it is may be known to whoever has it
    (["users:*"], "PATCH", "/me", 403),
    (["*"], "PATCH", "/me", 200),
    (["users:read"], "PATCH", "/api/users/1", 403),
    (["users:read", "users:update"], "PATCH", "/api/users/1", 200),
    (["users:update"], "PATCH", "/api/users/1", 403),  # it would answer with what it may not read
    (["users:read"], "DELETE", "/api/users/1", 403),
]


async def test_scopes_narrow_even_what_administrators_may(identity: RunningApplication) -> None:
    admin = await identity.as_admin()
    found: list[tuple[Any, ...]] = []
    for scopes, method, path, _ in SCOPES:
        program = await identity.client(token=(await made(admin, scopes=scopes))["key"])
        body = {"name": "Root"} if method == "PATCH" else None
        answer = await program.request(method, path, json=body)
        found.append((scopes, method, path, answer.status_code))

    assert found == SCOPES


async def test_scopes_give_nothing_that_the_user_may_not_do(identity: RunningApplication) -> None:
    program = await identity.client(token=(await made(await identity.as_user("ada"), scopes=["*:*"]))["key"])

    assert (await program.patch("/api/users/1", json={"name": "Mallory"})).status_code == 403
    assert (await program.get("/api/roles")).status_code in (403, 404)


async def test_a_use_is_noted_beside_the_request(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    program = await identity.client(token=(await made(ada))["key"])

    await program.get("/me")
    await eventually_used(identity)

    assert (await ada.get("/api_keys")).json()["data"][0]["last_used_at"] is not None


async def test_a_use_is_noted_at_most_once_a_minute_by_all_processes_together(
    identity: RunningApplication,
) -> None:
    key = await made(await identity.as_user("ada"))
    writers = [KeyUses(identity.env.db) for _ in range(2)]
    uses = "SELECT last_used_at FROM api_keys WHERE id = $1"

    times = []
    for writer in writers:
        writer.note(key["id"])
        writer.start()
        await writer.stop()
        times.append(await identity.env.db.fetchval(uses, key["id"]))

    assert times[0] is not None
    assert times == [times[0]] * 2


async def test_to_note_a_use_makes_nobody_forget_what_he_knows(identity: RunningApplication) -> None:
    before = await revision(identity)
    key = await made(await identity.as_user("ada"))
    after_signing_in = await revision(identity)
    await (await identity.client(token=key["key"])).get("/me")
    await eventually_used(identity)

    assert await revision(identity) == after_signing_in
    assert after_signing_in >= before


async def revision(running: RunningApplication) -> int:
    number: int = await running.env.db.fetchval("SELECT revision FROM access_revisions")
    return number


async def eventually_used(running: RunningApplication) -> None:
    async with asyncio.timeout(5):
        while await running.env.db.fetchval("SELECT last_used_at FROM api_keys") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_user_has_a_bounded_number_of_keys(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    key = await made(ada)
    await identity.env.db.fetch(
        "INSERT INTO api_keys (user_id, name, prefix, secret_hash, scopes, created_at) "
        "SELECT user_id, name, 'p' || n, secret_hash, scopes, created_at "
        "FROM api_keys, generate_series(2, $1) AS n",
        MOST_KEYS - 1,
    )

    answers = await asyncio.gather(*(ada.post("/api_keys", json=NEW) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    await ada.delete(f"/api_keys/{key['id']}")
    assert (await ada.post("/api_keys", json=NEW)).status_code == 201


async def test_keys_that_ended_long_ago_are_forgotten(identity: RunningApplication) -> None:
    ada = await identity.as_user("ada")
    await ada.delete(f"/api_keys/{(await made(ada))['id']}")
    await identity.env.db.fetch("UPDATE api_keys SET revoked_at = revoked_at - interval '60 days'")

    await made(ada)

    assert await identity.env.db.fetchval("SELECT count(*) FROM api_keys") == 1
