"""Presets of modules: brought in once, followed while nobody has touched them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.core.access_presets import ACL, RolePreset, RulePreset
from app.core.errors import StartError
from app.core.service import App, Info
from services.security.models import AccessList, Role, Rule
from services.security.presets import bring_in, fields_of_unknown_roles, presets_of
from tests.integration.services.security.conftest import Note
from tests.support.application import RunningApplication


class Writing(App):
    info = Info(name="writing", summary="Notes.")
    roles = (RolePreset("writer", "Writer", based_on=("base_user",)),)
    access = {"notes": {"writer": ACL.FULL}}  # noqa: RUF012  # as manifests are written
    rules = (RulePreset("own notes", "notes", [["owner_id", "=", "{{user_id}}"]], "writer", ACL.NO_CREATE),)


class WritingLater(Writing):
    roles = (RolePreset("writer", "A writer", based_on=("base_user", "manager")),)
    access = {"notes": {"writer": ACL.READ_ONLY}}  # noqa: RUF012
    rules = (RulePreset("own notes", "notes", [["text", "!=", ""]], None, ACL.READ),)


async def install(notes: RunningApplication, *manifests: type[App]) -> None:
    apps = [*notes.env.apps, *(manifest(notes.env) for manifest in manifests)]
    with notes.env.system():
        await bring_in(notes.env.db, presets_of(apps, notes.env.registry))


@asynccontextmanager
async def reading(notes: RunningApplication) -> AsyncIterator[dict[str, Any]]:
    with notes.env.system():
        (role,) = await Role.search([["code", "=", "writer"]], ["name", "based_role_ids.code"])
        lists = await AccessList.search([["model", "=", "notes"]])
        rules = await Rule.search([["name", "=", "own notes"]])
        yield {
            "name": role.name,
            "bases": sorted(base.code for base in role.based_role_ids),
            "list": [(one.can_create, one.can_read, one.can_update, one.can_delete) for one in lists],
            "rule": [(one.domain, one.operations, one.role_id is None) for one in rules],
        }


async def test_presets_are_brought_in_once(notes: RunningApplication) -> None:
    await install(notes, Writing)
    await install(notes, Writing)

    async with reading(notes) as found:
        assert found == {
            "name": "Writer",
            "bases": ["base_user"],
            "list": [(True, True, True, True)],
            "rule": [([["owner_id", "=", "{{user_id}}"]], ["read", "update", "delete"], False)],
        }


async def test_what_a_later_version_says_is_followed_where_nobody_touched_it(
    notes: RunningApplication,
) -> None:
    await install(notes, Writing)
    await install(notes, WritingLater)

    async with reading(notes) as found:
        assert found == {
            "name": "A writer",
            "bases": ["base_user", "manager"],
            "list": [(False, True, False, False)],
            "rule": [([["text", "!=", ""]], ["read"], True)],
        }


async def test_what_an_administrator_changed_or_removed_stays_so(notes: RunningApplication) -> None:
    await install(notes, Writing)
    with notes.env.system():
        await AccessList.update_bulk([["model", "=", "notes"]], can_delete=False)
        await Rule.delete_bulk([["name", "=", "own notes"]])

    await install(notes, Writing)
    await install(notes, WritingLater)
    await install(notes, WritingLater)

    async with reading(notes) as found:
        assert found["list"] == [(True, True, True, False)]
        assert found["rule"] == []
        assert found["name"] == "A writer"


async def test_a_row_that_an_administrator_made_first_is_kept(notes: RunningApplication) -> None:
    with notes.env.system():
        role = await Role.create(code="writer", name="By hand")
        await AccessList.create(role_id=role.id, model="notes", can_read=True)

    await install(notes, Writing)

    async with reading(notes) as found:
        assert found["name"] == "By hand"
        assert found["list"] == [(False, True, False, False)]


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"access": {"nothing": {"base_user": ACL.FULL}}}, "module bad .* table 'nothing'"),
        ({"access": {"notes": {"nobody": ACL.FULL}}}, "module bad, access to notes: .* role 'nobody'"),
        ({"rules": (RulePreset("r", "nothing", []),)}, "module bad .* table 'nothing'"),
        ({"rules": (RulePreset("r", "notes", [], role="nobody"),)}, "rule r: .* role 'nobody'"),
        ({"rules": (RulePreset("r", "notes", [["gone", "=", 1]]),)}, "rule r on notes: .*gone"),
        ({"roles": (RolePreset("x", "X", based_on=("nobody",)),)}, "role x: .* role 'nobody'"),
        ({"roles": (RolePreset("x", "X"), RolePreset("x", "X"))}, "'role x'"),
    ],
)
def test_a_preset_of_what_does_not_exist_is_refused_with_the_name(
    notes: RunningApplication, attributes: dict[str, Any], sentence: str
) -> None:
    manifest = type("Bad", (App,), {"info": Info(name="bad", summary="Wrong."), **attributes})

    with pytest.raises(StartError, match=sentence):
        presets_of([*notes.env.apps, manifest(notes.env)], notes.env.registry)


def test_fields_that_ask_for_a_role_that_does_not_exist_are_named(notes: RunningApplication) -> None:
    assert Note.__fields__["price"].role_read
    assert "Note.price asks for role 'manager'" in list(fields_of_unknown_roles(notes.env.registry, []))
    assert list(fields_of_unknown_roles(notes.env.registry, ["manager", "base_user"])) == []
