"""What the asker may do with a model, asked without doing it."""

from collections.abc import Mapping

import msgspec

from orm import context
from orm.access import OPERATIONS, Grant, Operation, grant_for
from orm.errors import AccessDenied
from orm.metadata import ModelMeta


class Can(msgspec.Struct, frozen=True, gc=False):
    """Rights on a model. A rule may narrow each of them to some rows."""

    create: bool
    read: bool
    update: bool
    delete: bool


class Rights:
    """The asker's grants on one model; an operation that he has no right to is not among them."""

    def __init__(self, meta: ModelMeta) -> None:
        self.meta = meta
        self._grants = _grants(meta)

    @property
    def can(self) -> Can:
        """Which operations there are at all."""
        return Can(**{operation: operation in self._grants for operation in OPERATIONS})

    def may(self, operation: Operation, field: str | None = None) -> bool:
        """Whether the asker may do this with the model, or with one field of it."""
        grant = self._grants.get(operation)
        return grant is not None and field not in grant.hidden

    def expect(self, *operations: Operation) -> None:
        """Raise AccessDenied unless the asker may do one of these."""
        if not any(operation in self._grants for operation in operations):
            raise AccessDenied(f"you may not {' or '.join(operations)} {self.meta.name} rows")


def _grants(meta: ModelMeta) -> Mapping[Operation, Grant]:
    policy = context.current().policy
    found: dict[Operation, Grant] = {}
    for operation in OPERATIONS:
        try:
            found[operation] = grant_for(policy, meta, operation)
        except AccessDenied:
            continue  # that is the answer
    return found
