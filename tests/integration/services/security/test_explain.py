"""Why somebody may or may not; always the same verdict as the policy's own."""

from typing import Any

import pytest

from services.security.models import AccessList, Role, Rule
from tests.integration.services.security.conftest import Note
from tests.support.application import RunningApplication


@pytest.fixture
async def scene(notes: RunningApplication) -> dict[str, Any]:
    """Ada, who owns the first of two notes, may read her own; she may write none."""
    ada = await notes.as_user("ada")
    user_id = (await ada.get("/me")).json()["id"]
    with notes.env.system():
        (role,) = await Role.search([["code", "=", "base_user"]], ["id"])
        first = await Note.create(owner_id=user_id, text="hers")
        second = await Note.create(text="nobody's")
        listed = await AccessList.create(role_id=role.id, model="notes", can_read=True)
        rule = await Rule.create(
            name="own", model="notes", role_id=role.id, domain=[["owner_id", "=", "{{user_id}}"]]
        )
    return {
        "ada": ada,
        "id": user_id,
        "first": first.id,
        "second": second.id,
        "list": listed.id,
        "rule": rule.id,
    }


async def asked(notes: RunningApplication, scene: dict[str, Any], row: int, operation: str) -> dict[str, Any]:
    admin = await notes.as_admin()
    answer = await admin.get(f"/api/notes/{row}/access?user_id={scene['id']}&operation={operation}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["user"]["login"] == "ada"
    (verdict,) = body["data"]
    return {"roles": body["roles"], **verdict}


async def test_the_role_the_list_and_the_rule_are_named(
    notes: RunningApplication, scene: dict[str, Any]
) -> None:
    verdict = await asked(notes, scene, scene["first"], "read")

    assert verdict["allowed"]
    assert verdict["reason"] == (
        f"Access list {scene['list']} of role base_user allows it, "
        f"and rule {scene['rule']} (own) lets the row through."
    )
    assert [(role["code"], role["given"]) for role in verdict["roles"]] == [("base_user", True)]
    assert verdict["lists"] == [{"id": scene["list"], "role": "base_user", "allows": True}]
    assert [(rule["id"], rule["matches"]) for rule in verdict["rules"]] == [(scene["rule"], True)]
    assert verdict["hidden_fields"] == ["price"]


async def test_a_row_that_a_rule_hides_is_told(notes: RunningApplication, scene: dict[str, Any]) -> None:
    verdict = await asked(notes, scene, scene["second"], "read")

    assert not verdict["allowed"]
    assert verdict["reason"] == "None of the rules of his roles lets the row through."
    assert [(rule["id"], rule["matches"]) for rule in verdict["rules"]] == [(scene["rule"], False)]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("update", "No access list of his roles allows to update notes."),
        ("delete", "No access list of his roles allows to delete notes."),
    ],
)
async def test_a_missing_list_is_told(
    notes: RunningApplication, scene: dict[str, Any], operation: str, reason: str
) -> None:
    assert (await asked(notes, scene, scene["first"], operation))["reason"] == reason


async def test_a_row_that_does_not_exist_is_an_answer_too(
    notes: RunningApplication, scene: dict[str, Any]
) -> None:
    verdict = await asked(notes, scene, 4711, "read")

    assert (verdict["allowed"], verdict["reason"]) == (False, "There is no row 4711 in notes.")


async def test_the_verdict_is_the_policys(notes: RunningApplication, scene: dict[str, Any]) -> None:
    for row in ("first", "second"):
        verdict = await asked(notes, scene, scene[row], "read")
        answer = await scene["ada"].get(f"/api/notes/{scene[row]}")

        assert (answer.status_code == 200) == verdict["allowed"]


async def test_only_administrators_may_ask(notes: RunningApplication, scene: dict[str, Any]) -> None:
    admin = await notes.as_admin()

    assert (await scene["ada"].get("/api/notes/1/access")).status_code == 403
    assert (await admin.get("/api/nothing/1/access")).status_code == 404
    assert (await admin.get("/api/notes/1/access?user_id=4711")).status_code == 404
    own = (await admin.get("/api/notes/1/access")).json()
    assert [one["operation"] for one in own["data"]] == ["read", "update", "delete"]
    assert all(one["allowed"] for one in own["data"])
