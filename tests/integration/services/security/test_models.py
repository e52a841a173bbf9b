"""What administrators cannot write into the tables of rights, and where they are told so."""

from typing import Any

import httpx
import pytest

from tests.support.application import RunningApplication


async def refused(answer: httpx.Response, pointer: str) -> None:
    assert answer.status_code == 422, answer.text
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer], answer.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"model": "nothing"}, "/model"),
        ({"domain": [["gone", "=", 1]]}, "/domain/0/0"),
        ({"domain": [["text", "=", "{{user_id}}"]]}, "/domain/0/2"),
        ({"domain": [["text", "near", "x"]]}, "/domain/0/1"),
        ({"domain": {}}, "/domain"),
        ({"operations": ["look"]}, "/operations"),
        ({"operations": []}, "/operations"),
        ({"domain": [["owner_id", "allowed", "read"]]}, None),
    ],
)
async def test_a_rule_has_to_fit_its_model(
    notes: RunningApplication, body: dict[str, Any], pointer: str | None
) -> None:
    admin = await notes.as_admin()
    good = {"name": "a rule", "model": "notes", "domain": [["text", "=", "x"]]}

    answer = await admin.post("/api/rules", json=good | body)
    if pointer is None:
        assert answer.status_code == 201, answer.text
        return
    await refused(answer, pointer)
    stored = await admin.post("/api/rules", json=good)
    await refused(await admin.patch(f"/api/rules/{stored.json()['id']}", json=body), pointer)


async def test_rules_in_a_circle_are_refused(notes: RunningApplication) -> None:
    admin = await notes.as_admin()
    first = {"name": "a", "model": "sessions", "domain": [["user_id", "allowed", "read"]]}
    assert (await admin.post("/api/rules", json=first)).status_code == 201
    circle = {"name": "b", "model": "rules", "domain": [["role_id", "allowed", "read"]]}
    assert (await admin.post("/api/rules", json=circle)).status_code == 201


async def test_roles_in_a_circle_are_refused(notes: RunningApplication) -> None:
    admin = await notes.as_admin()
    first = (await admin.post("/api/roles", json={"code": "first", "name": "First"})).json()["id"]
    second = await admin.post(
        "/api/roles", json={"code": "second", "name": "Second", "based_role_ids": {"link": [first]}}
    )
    assert second.status_code == 201, second.text

    answer = await admin.patch(
        f"/api/roles/{first}", json={"based_role_ids": {"link": [second.json()["id"]]}}
    )

    await refused(answer, "/based_role_ids")
    assert "first, second" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"code": "administrators"}, "/code"), ({"code": "Not a code"}, "/code")],
)
async def test_a_role_has_a_code_of_its_own(
    notes: RunningApplication, body: dict[str, Any], pointer: str
) -> None:
    admin = await notes.as_admin()

    await refused(await admin.post("/api/roles", json={"name": "x", **body}), pointer)


async def test_an_access_list_names_a_table_and_stands_there_once(notes: RunningApplication) -> None:
    admin = await notes.as_admin()
    role = (await admin.get("/api/roles")).json()["data"][0]["id"]
    body = {"role_id": role, "model": "notes", "can_read": True}

    await refused(await admin.post("/api/access_lists", json=body | {"model": "nothing"}), "/model")
    assert (await admin.post("/api/access_lists", json=body)).status_code == 201
    assert (await admin.post("/api/access_lists", json=body)).status_code == 409


async def test_a_role_that_a_module_ships_keeps_its_code(notes: RunningApplication) -> None:
    admin = await notes.as_admin()
    answer = await admin.get("/api/roles", params={"filter": '[["code","=","base_user"]]'})
    path = f"/api/roles/{answer.json()['data'][0]['id']}"
    for refused in (await admin.delete(path), await admin.patch(path, json={"code": "other"})):
        assert refused.status_code == 409, refused.text
        assert "base_user" in refused.json()["detail"]
    assert (await admin.patch(path, json={"code": "base_user", "name": "Everybody"})).status_code == 200
    own = (await admin.post("/api/roles", json={"code": "own", "name": "Own"})).json()["id"]
    assert (await admin.patch(f"/api/roles/{own}", json={"code": "owned"})).status_code == 200
    assert (await admin.delete(f"/api/roles/{own}")).status_code == 204
