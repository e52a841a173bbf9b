"""What papers are kept in."""

import decimal
from typing import TYPE_CHECKING, Any

from app.core.stamps import asker_id
from orm import Boolean, Char, Decimal, DotModel, Many2one, One2many, Ref

if TYPE_CHECKING:
    from tests.integration.access.office.models.paper import Paper


class Folder(DotModel):
    __table__ = "folders"

    title: str = Char(max_length=80, required=True)
    is_open: bool = Boolean(default=False, required=True)
    owner_id: Ref[Any] | None = Many2one("users", ondelete="restrict", default=asker_id)
    parent_id: Ref["Folder"] | None = Many2one("folders", ondelete="set null")
    budget: decimal.Decimal | None = Decimal(
        12, 2, role_read="auditor", role_create="boss", role_update="boss", description="For auditors"
    )
    papers: list["Paper"] = One2many("papers", "folder_id")
    children: list["Folder"] = One2many("folders", "parent_id")
