"""Rules: which rows of a table may be touched."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.environment import current_environment
from orm import Boolean, Char, JSONField, Many2one, Ref
from orm.access import OPERATIONS, system
from orm.errors import Place, ValidationError
from services.security.changes import ChangesRights
from services.security.domains import check_domain, check_no_circle, check_table
from services.security.models.role import Role
from services.security.rights import read_rights


class Rule(ChangesRights):
    """A row of `model`, a table, can be touched in one of `operations` when it passes `domain`.

    Of the rules of a user's roles one must let the row through; where there is none, his access lists are
    all. Rules without a role must let it through as well, whoever asks but administrators. `domain` is a
    filter; in it `{{user_id}}`, `{{role_ids}}` and `{{now}}` stand for the asker and the time.
    """

    __table__ = "rules"
    __audit__ = True

    name: str = Char(max_length=120, required=True)
    model: str = Char(max_length=63, required=True, index=True)
    role_id: Ref[Role] | None = Many2one("roles", ondelete="cascade")
    domain: list[Any] = JSONField(default=list, required=True)
    operations: list[str] = JSONField(default=lambda: list(OPERATIONS), required=True)
    active: bool = Boolean(default=True, required=True)

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        """Refuse tables that no model has, and words that are no operations."""
        for record in records:
            check_table(record.get("model"))
            _check_operations(record)
        await super().before_create(records)

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Refuse tables that no model has, and words that are no operations."""
        if "model" in values:
            check_table(values["model"])
        _check_operations(values)
        await super().before_update(ids, values)

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        """Refuse a domain that does not fit its model, and rules in a circle."""
        await _check_stored(ids)
        await super().after_create(ids)

    @classmethod
    async def after_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Refuse a domain that does not fit its model, and rules in a circle."""
        if not values.keys().isdisjoint(("model", "domain", "operations", "active")):
            await _check_stored(ids)
        await super().after_update(ids, values)


def _check_operations(values: Mapping[str, Any]) -> None:
    given = values.get("operations", OPERATIONS)
    if not isinstance(given, list | tuple) or not given or any(one not in OPERATIONS for one in given):
        sentence = f"`operations` is a list of one or more of {', '.join(OPERATIONS)}."
        raise ValidationError(sentence, errors=(Place("/operations", "choice", sentence),))


async def _check_stored(ids: Sequence[int]) -> None:
    env = current_environment()
    with system():
        for rule in await Rule.search([["id", "in", list(ids)]], ["model", "domain"]):
            check_domain(env.registry, rule.model, rule.domain)
    check_no_circle(env.registry, await read_rights(env.db))
