"""The access policy: what an asker may do with a model. It neither waits nor asks the database."""

import logging
from collections import OrderedDict
from typing import Any, Final, TypeVar

from app.core.access import AccessSession, Anonymous, scope_allows
from orm.access import UNLIMITED, Grant, Operation
from orm.errors import AccessDenied
from orm.metadata import ModelMeta
from services.security.domains import variables
from services.security.rights import Rights
from services.security.templates import NO_GUARDS, Circle, Guards, Template, Templates

REMEMBERED: Final = 10_000
"""Templates kept, one for each set of roles, table and operation. One is made in some 20 microseconds for
each rule and takes a kilobyte or two."""

REMEMBERED_GRANTS: Final = 4_096
"""Grants kept, one for each user, table and operation: some 500 bytes each. Binding one anew takes 6 us, a
fourteenth of a row by its id."""

Kept = TypeVar("Kept")

_logger = logging.getLogger(__name__)


class Policy:
    """Answers from a snapshot of rights; without one only administrators may do anything.

    `use` gives it another snapshot. What is remembered belongs to the snapshot that it was made from.
    """

    def __init__(self, guards: Guards = NO_GUARDS) -> None:
        self._guards = guards
        self._templates = Templates(Rights(), guards)
        self._remembered: OrderedDict[Any, Template] = OrderedDict()
        self._grants: OrderedDict[Any, Grant] = OrderedDict()

    def use(self, rights: Rights) -> None:
        """From now on these are the rights."""
        self._templates = Templates(rights, self._guards)
        self._remembered = OrderedDict()
        self._grants = OrderedDict()

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See orm.access.AccessPolicy."""
        if isinstance(asker, AccessSession):
            if asker.scopes is not None and not scope_allows(asker.scopes, model.route, operation):
                raise AccessDenied(f"This API key has no scope {model.route}:{operation}.")
            if asker.is_admin and model.table not in self._guards:
                return UNLIMITED
            # The codes, too: a session from before a role got another one may still ask, but for itself only.
            codes = asker.role_codes
            known = (asker.user_id, asker.is_admin, asker.role_ids, codes, model.table, operation)
            grant = self._grants.get(known)
            if grant is None:
                template = self._template(known[1:], asker, model, operation)
                grant = _filled_in(template, asker.user_id, asker.role_ids)
                if template.is_lasting:
                    _keep(self._grants, known, grant, REMEMBERED_GRANTS)
            return grant
        if isinstance(asker, Anonymous):
            key = (frozenset(asker.tables.items()), model.table, operation)
            return _filled_in(self._template(key, asker, model, operation), asker.user_id, frozenset())
        raise AccessDenied(f"Sign in to {operation} {model.table}.")

    def _template(
        self, key: Any, asker: AccessSession | Anonymous, model: ModelMeta, operation: Operation
    ) -> Template:
        """The template of the asker's circle. Raises AccessDenied where it allows nothing."""
        template = self._remembered.get(key)
        if template is None:
            template = self._make(key, asker, model, operation)
        if template.denial is not None:
            raise AccessDenied(template.denial)
        return template

    def _make(
        self, key: Any, asker: AccessSession | Anonymous, model: ModelMeta, operation: Operation
    ) -> Template:
        template = self._templates.make(Circle.of(asker), model, operation)
        for flaw in template.flaws:
            _logger.error("nobody whom it binds can %s %s: %s", operation, model.table, flaw)
        _keep(self._remembered, key, template, REMEMBERED)
        return template


def _filled_in(template: Template, user_id: int, role_ids: frozenset[int]) -> Grant:
    """The grant of a template for one asker, now."""
    if not template.is_template:
        return template.grant
    assert template.grant.rule is not None
    return Grant(template.grant.rule.bound(variables(user_id, role_ids)), template.grant.hidden)


def _keep(kept: OrderedDict[Any, Kept], key: Any, value: Kept, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
