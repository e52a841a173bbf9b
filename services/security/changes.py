"""The announcement of changed rights, for models as well as for other modules."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from app.core.environment import current_environment
from orm import DotModel

if TYPE_CHECKING:
    from services.security.app import SecurityService


async def rights_changed() -> None:
    """When the open transaction commits, this process honours the change at once.

    Every other one does within a second without being told: triggers move the revision that they all read.
    Raises UsageError outside of a transaction."""
    # By name: the service itself knows the models that call this.
    security = cast("SecurityService", current_environment().apps["security"])
    security.revisions.announce()


class ChangesRights(DotModel):
    """Mixin of the models that rights are made of."""

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        """Rights have changed."""
        await super().after_create(ids)
        await rights_changed()

    @classmethod
    async def after_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """Rights have changed."""
        await super().after_update(ids, values)
        await rights_changed()

    @classmethod
    async def after_delete(cls, ids: Sequence[int]) -> None:
        """Rights have changed."""
        await super().after_delete(ids)
        await rights_changed()
