"""The access policy: what an asker may do with a model. Pure; it neither waits nor asks the database."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from app.core.access import AccessSession
from orm.access import UNLIMITED, Grant, Operation
from orm.errors import AccessDenied
from orm.filters.parse import parse_filter
from orm.metadata import ModelMeta

Guards = Mapping[str, Sequence[Any]]
"""By table, a filter that its rows must pass for whoever asks; in it `{{user_id}}` stands for the
asker."""

_NO_GUARDS: Final[Guards] = MappingProxyType({})

REMEMBERED: Final = 10_000
"""Grants kept. One is made in some 20 microseconds and takes half a kilobyte."""


class Policy:
    """Administrators may do everything with every row that its module does not guard, anybody else
    nothing.

    A guard is no right that a role could give or take: an administrator is no member of a chat, and what
    its members say is not for him. What is private or readonly stays so for administrators, too: that is a
    matter of the API."""

    def __init__(self, guards: Guards = _NO_GUARDS) -> None:
        self._guards = guards
        self._granted: OrderedDict[tuple[str, int], Grant] = OrderedDict()

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See orm.access.AccessPolicy."""
        if not isinstance(asker, AccessSession) or not asker.is_admin:
            raise AccessDenied(f"You have no right to {operation} {model.table}.")
        if model.table not in self._guards:
            return UNLIMITED
        key = (model.table, asker.user_id)
        grant = self._granted.get(key)
        if grant is None:
            rule = parse_filter(model, _filled_in(self._guards[model.table], asker.user_id))
            grant = self._granted[key] = Grant(rule=rule)
            if len(self._granted) > REMEMBERED:
                self._granted.popitem(last=False)
        return grant


def _filled_in(part: Any, user_id: int) -> Any:
    if isinstance(part, list | tuple):
        return [_filled_in(one, user_id) for one in part]
    return user_id if part == "{{user_id}}" else part
