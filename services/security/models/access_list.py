"""Access lists: which operations on a table a role may do."""

from collections.abc import Sequence
from typing import Any

from orm import Boolean, Char, Many2one, Ref
from services.security.changes import ChangesRights
from services.security.domains import check_table
from services.security.models.role import Role


class AccessList(ChangesRights):
    """What a role may do with a table, `model`. A user may do what any of his roles may."""

    __table__ = "access_lists"
    __audit__ = True
    __unique__ = (("role_id", "model"),)

    role_id: Ref[Role] = Many2one("roles", required=True, ondelete="cascade")
    model: str = Char(max_length=63, required=True, index=True)
    can_create: bool = Boolean(default=False, required=True)
    can_read: bool = Boolean(default=False, required=True)
    can_update: bool = Boolean(default=False, required=True)
    can_delete: bool = Boolean(default=False, required=True)

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        """Refuse tables that no model has."""
        for record in records:
            check_table(record.get("model"))
        await super().before_create(records)

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Refuse tables that no model has."""
        if "model" in values:
            check_table(values["model"])
        await super().before_update(ids, values)
