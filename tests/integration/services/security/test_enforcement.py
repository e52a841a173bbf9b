"""Access lists, rules and field roles as they hold over the API, and how fast a change of them does."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import asyncpg
import httpx
import pytest

from services.security.app import SecurityService
from services.security.models import AccessList, Role, Rule
from tests.integration.services.security.conftest import Note, NoteModels
from tests.support.application import RunningApplication, running_application
from tests.support.identity import IdentityApps

OWN = [["owner_id", "=", "{{user_id}}"]]


async def role_id(running: RunningApplication, code: str) -> int:
    with running.env.system():
        return (await Role.search([["code", "=", code]], ["id"]))[0].id


async def allow(running: RunningApplication, code: str = "base_user", **operations: bool) -> AccessList:
    allowed = {f"can_{name}": value for name, value in operations.items()}
    with running.env.system():
        return await AccessList.create(role_id=await role_id(running, code), model="notes", **allowed)


async def bind(running: RunningApplication, domain: Any, code: str | None = "base_user", **more: Any) -> Rule:
    role = None if code is None else await role_id(running, code)
    with running.env.system():
        return await Rule.create(name="a rule", model="notes", domain=domain, role_id=role, **more)


async def user_id(client: httpx.AsyncClient) -> int:
    found: int = (await client.get("/me")).json()["id"]
    return found


async def within_a_second(question: Callable[[], Awaitable[httpx.Response]], status: int) -> None:
    started = monotonic()
    while (answer := await question()).status_code != status:
        assert monotonic() - started < 1.2, answer.text
        await asyncio.sleep(0.005)  # HTTP has no signal for it


async def test_without_a_list_everything_is_denied(notes: RunningApplication) -> None:
    ada = await notes.as_user("ada")

    for answer in (
        await ada.get("/api/notes"),
        await ada.get("/api/notes/1"),
        await ada.post("/api/notes", json={"text": "x"}),
        await ada.patch("/api/notes/1", json={"text": "x"}),
        await ada.delete("/api/notes/1"),
        await ada.get("/api/roles"),
        await ada.get("/api/rules"),
        await ada.get("/api/access_lists"),
    ):
        assert answer.status_code == 403, answer.text


async def test_a_list_opens_what_it_names_at_once(notes: RunningApplication) -> None:
    ada = await notes.as_user("ada")
    admin = await notes.as_admin()
    base = await role_id(notes, "base_user")

    created = await admin.post(
        "/api/access_lists", json={"role_id": base, "model": "notes", "can_read": True, "can_create": True}
    )

    assert created.status_code == 201, created.text
    assert (await ada.post("/api/notes", json={"text": "x"})).status_code == 201
    assert [row["text"] for row in (await ada.get("/api/notes")).json()["data"]] == ["x"]
    assert (await ada.patch("/api/notes/1", json={"text": "y"})).status_code == 403

    assert (await admin.delete(f"/api/access_lists/{created.json()['id']}")).status_code == 204
    assert (await ada.get("/api/notes")).status_code == 403


async def test_a_rule_makes_other_rows_absent_on_every_path(notes: RunningApplication) -> None:
    ada, bob = await notes.as_user("ada"), await notes.as_user("bob")
    await allow(notes, create=True, read=True, update=True, delete=True)
    await bind(notes, OWN)
    hers = {"owner_id": await user_id(ada), "text": "hers"}
    his = {"owner_id": await user_id(bob), "text": "his"}
    assert (await ada.post("/api/notes", json=hers)).status_code == 201
    assert (await bob.post("/api/notes", json=his)).status_code == 201

    listed = (await ada.get("/api/notes?count=exact")).json()
    assert ([row["text"] for row in listed["data"]], listed["total"]) == (["hers"], 1)
    for answer in (
        await ada.get("/api/notes/2"),
        await ada.patch("/api/notes/2", json={"text": "mine"}),
        await ada.delete("/api/notes/2"),
    ):
        assert answer.status_code == 404, answer.text
    everything = {"filter": [], "all": True}
    assert (await ada.patch("/api/notes", json=everything | {"values": {"text": "z"}})).json() == {"count": 1}
    assert (await ada.post("/api/notes/delete", json=everything)).json() == {"count": 1}
    assert [row["text"] for row in (await bob.get("/api/notes")).json()["data"]] == ["his"]
    # What would leave her rule, or never be under it, is refused rather than hidden.
    assert (await ada.post("/api/notes", json=his)).status_code == 403
    assert (await bob.patch("/api/notes/2", json={"owner_id": hers["owner_id"]})).status_code == 403


async def test_a_field_that_is_not_for_the_asker_is_absent_and_cannot_be_named(
    notes: RunningApplication,
) -> None:
    ada = await notes.as_user("ada")
    await allow(notes, create=True, read=True, update=True)
    with notes.env.system():
        await Note.create(text="x", price=3)

    assert (await ada.get("/api/notes/1")).json() == {"id": 1, "owner_id": None, "text": "x"}
    for answer in (
        await ada.get("/api/notes?fields=id,price"),
        await ada.get("/api/notes?order=price"),
        await ada.get('/api/notes?filter=[["price",">",2]]'),
        await ada.post("/api/notes", json={"text": "y", "price": 1}),
        await ada.patch("/api/notes/1", json={"price": 1}),
        await ada.get('/api/users?filter=[["is_admin","=",true]]'),
    ):
        assert answer.status_code == 403, answer.text

    with notes.env.system():
        manager, base = await role_id(notes, "manager"), await role_id(notes, "base_user")
    admin = await notes.as_admin()
    changed = await admin.patch(f"/api/users/{await user_id(ada)}", json={"role_ids": [base, manager]})
    assert changed.status_code == 200, changed.text
    assert (await ada.get("/api/notes/1")).json()["price"] == 3


async def test_base_users_see_id_name_and_login_of_active_users(notes: RunningApplication) -> None:
    ada = await notes.as_user("ada")
    bob = await user_id(await notes.as_user("bob"))
    admin = await notes.as_admin()
    assert (await admin.patch(f"/api/users/{bob}", json={"active": False})).status_code == 200

    listed = (await ada.get("/api/users?order=id")).json()["data"]

    assert listed == [
        {"id": 1, "login": "admin", "name": "admin"},
        {"id": await user_id(ada), "login": "ada", "name": "Ada"},
    ]
    assert (await ada.get(f"/api/users/{bob}")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE access_lists SET can_read = false WHERE model = 'notes'",
        "DELETE FROM access_lists WHERE model = 'notes'",
        "DELETE FROM user_roles",
        "DELETE FROM roles WHERE code = 'base_user'",
    ],
)
async def test_a_change_by_whomever_is_honoured_within_a_second(
    notes: RunningApplication, database_url: str, change: str
) -> None:
    await allow(notes, read=True)
    ada = await notes.as_user("ada")
    assert (await ada.get("/api/notes")).status_code == 200

    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(change)
    finally:
        await connection.close()

    await within_a_second(lambda: ada.get("/api/notes"), 403)


async def test_a_change_reaches_another_process_within_a_second(
    notes: RunningApplication, database_url: str
) -> None:
    ada = await notes.as_user("ada")
    async with running_application(database_url, models=NoteModels, apps=IdentityApps) as other:
        elsewhere = await other.client(token=ada.headers["Authorization"].removeprefix("Bearer "))
        assert (await elsewhere.get("/api/notes")).status_code == 403

        rule = await allow(notes, read=True)
        await within_a_second(lambda: elsewhere.get("/api/notes"), 200)
        with notes.env.system():
            await rule.update(can_read=False)
        await within_a_second(lambda: elsewhere.get("/api/notes"), 403)


async def test_a_sign_out_makes_nobody_read_all_rights_again(notes: RunningApplication) -> None:
    ada, bob = await notes.as_user("ada"), await notes.as_user("bob")
    with notes.env.bind():
        keeper = notes.env.service(SecurityService).rights
        before = await keeper.current()
        assert (await bob.post("/logout")).status_code == 204
        assert (await ada.get("/me")).status_code == 200

        assert await keeper.current() is before


async def test_a_rule_that_no_longer_fits_its_model_denies(
    notes: RunningApplication, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await allow(notes, read=True)
    await bind(notes, [["text", "=", "x"]])
    ada = await notes.as_user("ada")
    connection = await asyncpg.connect(database_url)
    try:  # as if the field had been taken out of the model
        await connection.execute("""UPDATE rules SET domain = '[["gone", "=", 1]]' WHERE model = 'notes'""")
    finally:
        await connection.close()

    await within_a_second(lambda: ada.get("/api/notes"), 403)
    assert "a rule) on notes cannot be used" in caplog.text
