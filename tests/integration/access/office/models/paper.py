"""Papers, their lines and their tags; and a drawer that one may fill and not look into."""

import decimal
from typing import Any

from app.core.stamps import Stamped
from app.crud.actions import action
from orm import Boolean, Char, Decimal, DotModel, Integer, Many2many, Many2one, One2many, Ref, Selection, Text
from tests.integration.access.office.models.folder import Folder


class Tag(DotModel):
    __table__ = "tags"

    name: str = Char(max_length=80, required=True, unique=True)
    is_public: bool = Boolean(default=False, required=True)
    papers: list["Paper"] = Many2many("papers", table="paper_tags", column1="tag_id", column2="paper_id")


class Paper(Stamped):
    __table__ = "papers"

    title: str = Char(max_length=80, required=True)
    body: str | None = Text()
    status: str = Selection(options=["draft", "final", "sealed"], default="draft", required=True)
    folder_id: Ref[Folder] | None = Many2one("folders", ondelete="set null")
    author_id: Ref[Any] | None = Many2one("users", ondelete="restrict")
    grade: int | None = Integer(role_read="auditor", role_create="boss", role_update="boss")
    pin: str | None = Char(max_length=80, private=True)
    serial: int | None = Integer(readonly=True)
    lines: list["PaperLine"] = One2many("paper_lines", "paper_id")
    tags: list[Tag] = Many2many("tags", table="paper_tags", column1="paper_id", column2="tag_id")

    @action(needs="read")
    async def weigh(self) -> dict[str, int]:
        """Tells something that only those should hear who see the paper."""
        return {"id": self.id}

    @action(needs="update")
    async def stamp(self) -> None:
        """Does what only those may do who may change the paper."""
        await self.update(body="stamped")


class PaperLine(DotModel):
    __table__ = "paper_lines"

    text: str = Char(max_length=80, required=True)
    amount: decimal.Decimal | None = Decimal(12, 2)
    paper_id: Ref[Paper] = Many2one("papers", required=True, ondelete="cascade")


class Drawer(DotModel):
    """Clerks put things in, and do not see what is there."""

    __table__ = "drawers"

    thing: str = Char(max_length=80, required=True)
    code: str | None = Char(max_length=80, unique=True)
