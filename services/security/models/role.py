"""Roles: what users are given rights by."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.access_presets import ADMINISTRATORS
from app.core.environment import current_environment
from orm import Char, Many2many
from orm.errors import Conflict, Place, ValidationError
from services.security.changes import ChangesRights
from sql import statements

_SQL = statements("security/rights")


class Role(ChangesRights):
    """A role has its own rights and those of the roles that it is based on, to any depth.

    Which users have it is a matter of the users.
    """

    __table__ = "roles"
    __audit__ = True

    code: str = Char(max_length=64, pattern="^[a-z][a-z0-9_]*$", required=True, unique=True)
    name: str = Char(max_length=120, required=True)
    based_role_ids: list["Role"] = Many2many(
        "roles", table="role_bases", column1="role_id", column2="based_role_id"
    )

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        """Refuse the code that stands for administrators."""
        for record in records:
            _check_code(record)
        await super().before_create(records)

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Refuse the code that stands for administrators, and another code for a role that a module ships."""
        _check_code(values)
        if "code" in values:
            await _check_not_shipped(ids, but=values["code"])
        await super().before_update(ids, values)

    @classmethod
    async def before_delete(cls, ids: Sequence[int]) -> None:
        """Refuse to remove a role that a module ships: its code stands in the program, and in fields."""
        await _check_not_shipped(ids)
        await super().before_delete(ids)

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        """Refuse roles in a circle."""
        await _check_no_circle()
        await super().after_create(ids)

    @classmethod
    async def after_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Refuse roles in a circle."""
        if "based_role_ids" in values:
            await _check_no_circle()
        await super().after_update(ids, values)


def _check_code(values: Mapping[str, Any]) -> None:
    if values.get("code") == ADMINISTRATORS:
        sentence = f"{ADMINISTRATORS!r} stands for all administrators: no role can have this code."
        raise ValidationError(sentence, errors=(Place("/code", "reserved", sentence),))


async def _check_not_shipped(ids: Sequence[int], *, but: str | None = None) -> None:
    """Raise Conflict when the program knows one of these roles by its code, unless that is `but`."""
    env = current_environment()
    shipped = {role.code for app in env.apps for role in app.roles} - {but}
    with env.system():
        found = await Role.search([["id", "in", list(ids)], ["code", "in", sorted(shipped)]], ["code"])
    if found:
        codes = ", ".join(sorted(role.code for role in found))
        raise Conflict(f"A module ships {codes}: take its access lists and rules away instead.")


async def _check_no_circle() -> None:
    rows = await current_environment().db.run(_SQL["roles_in_circles"], [])
    if rows:
        sentence = f"Roles cannot be based on themselves: {', '.join(row[0] for row in rows)} would be."
        raise ValidationError(sentence, errors=(Place("/based_role_ids", "circle", sentence),))
