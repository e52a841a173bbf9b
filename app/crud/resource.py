"""One model as it appears over HTTP."""

from collections.abc import Mapping
from functools import cached_property

from app.crud.actions import Action, actions_of
from app.crud.bodies import Bodies
from app.crud.exports import Exports
from app.crud.selections import Selections
from orm.metadata import ModelMeta


class Resource:
    """What handlers know of a model: its class, its paths (below the application's root), and what all
    models of an API share: the readers of bodies, and the places for exports.
    """

    def __init__(
        self, meta: ModelMeta, prefix: str, *, bodies: Bodies | None = None, exports: Exports | None = None
    ) -> None:
        self.meta = meta
        self.cls = meta.cls
        self.is_writable = meta.auto_crud is True
        self.path = f"/{prefix}/{meta.route}"
        self.row_path = f"{self.path}/{{id:int}}"
        self.bodies = Bodies() if bodies is None else bodies
        self.exports = Exports() if exports is None else exports
        self.selections = Selections(meta)

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """The model's own verbs, by name."""
        return {action.name: action for action in actions_of(self.cls)}
