"""A person or company that one deals with."""

import decimal
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from app.core.environment import current_environment
from app.core.stamps import Stamped, asker_id
from orm import Boolean, Char, Decimal, Many2many, Many2one, Place, Ref, Text, ValidationError
from services.partners.models.partner_category import PartnerCategory
from services.users.models import User
from sql import statements

_SQL = statements("partners/partners")

_TREE_LOCK: Final = 1456297210204062986
"""The first eight bytes of sha256("starling partner tree"), as pg_advisory_xact_lock takes them."""


class Partner(Stamped):
    """A row of `partners`. It belongs to whoever made it, unless a manager says otherwise.

    `parent_id` is the company that a person works for, or that a company is a part of: partners form trees.
    """

    __table__ = "partners"
    __indexes__: ClassVar[Sequence[Sequence[str]]] = (("name",),)

    name: str = Char(max_length=255, required=True, pattern=r"\S")
    is_company: bool = Boolean(default=False, required=True)
    email: str | None = Char(max_length=254)
    phone: str | None = Char(max_length=50)
    parent_id: Ref["Partner"] | None = Many2one("partners", ondelete="set null")
    category_ids: list[PartnerCategory] = Many2many(
        "partner_categories", table="partner_category_links", column1="partner_id", column2="category_id"
    )
    # Restrict: a partner never loses its owner by the way. Users are disabled, or hand over first.
    owner_id: Ref[User] | None = Many2one("users", ondelete="restrict", default=asker_id)
    credit_limit: decimal.Decimal | None = Decimal(
        12, 2, min=0, role_read="manager", role_create="manager", role_update="manager"
    )
    active: bool = Boolean(default=True, required=True)
    note: str | None = Text()

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Raise ValidationError for a parent that would close a circle."""
        await super().before_update(ids, values)
        parent = values.get("parent_id")
        if parent is None or not ids:
            return
        db = current_environment().db
        # Two changes, each of them right by itself, can close a circle together: one moves at a time.
        await db.run(_SQL["lock_tree"], [_TREE_LOCK])
        parent_id = getattr(parent, "id", parent)
        rows = await db.run(_SQL["at_or_above"], [parent_id, list(ids)])
        if rows:
            sentence = f"partner {rows[0][0]} stands above partner {parent_id} or is the same: not below it"
            raise ValidationError(sentence, errors=(Place("/parent_id", "circle", sentence),))
