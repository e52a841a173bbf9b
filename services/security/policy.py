"""The access policy: what an asker may do with a model. It neither waits nor asks the database."""

import logging
from collections import OrderedDict
from typing import Any, Final

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

_logger = logging.getLogger(__name__)


class Policy:
    """Answers from a snapshot of rights; without one only administrators may do anything.

    `use` gives it another snapshot. What is remembered belongs to the snapshot that it was made from.
    """

    def __init__(self, guards: Guards = NO_GUARDS) -> None:
        self._guards = guards
        self._templates = Templates(Rights(), guards)
        self._remembered: OrderedDict[Any, Template] = OrderedDict()

    def use(self, rights: Rights) -> None:
        """From now on these are the rights."""
        self._templates = Templates(rights, self._guards)
        self._remembered = OrderedDict()

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See orm.access.AccessPolicy."""
        if isinstance(asker, AccessSession):
            if asker.scopes is not None and not scope_allows(asker.scopes, model.route, operation):
                raise AccessDenied(f"This API key has no scope {model.route}:{operation}.")
            if asker.is_admin and model.table not in self._guards:
                return UNLIMITED
            key: Any = (asker.is_admin, asker.role_ids, model.table, operation)
            user_id, role_ids = asker.user_id, asker.role_ids
        elif isinstance(asker, Anonymous):
            key = (frozenset(asker.tables.items()), model.table, operation)
            user_id, role_ids = asker.user_id, frozenset[int]()
        else:
            raise AccessDenied(f"Sign in to {operation} {model.table}.")
        template = self._remembered.get(key)
        if template is None:
            template = self._make(key, asker, model, operation)
        if template.denial is not None:
            raise AccessDenied(template.denial)
        if not template.is_template:
            return template.grant
        assert template.grant.rule is not None
        bound = template.grant.rule.bound(variables(user_id, role_ids))
        return Grant(bound, template.grant.hidden)

    def _make(
        self, key: Any, asker: AccessSession | Anonymous, model: ModelMeta, operation: Operation
    ) -> Template:
        template = self._templates.make(Circle.of(asker), model, operation)
        for flaw in template.flaws:
            _logger.error("nobody whom it binds can %s %s: %s", operation, model.table, flaw)
        self._remembered[key] = template
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return template
