"""One model as it appears over HTTP."""

import re
from functools import cached_property
from typing import Any, Final

from app.core.errors import StartError
from app.crud.payloads import (
    ModelBody,
    bulk_change_type,
    change_type,
    creation_list_type,
    creation_type,
)
from app.http.bodies import Body
from orm.metadata import ModelMeta

_ROUTE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")  # one segment of a path that needs no escapes


class Resource:
    """What handlers know of a model: its class, its paths, and the bodies that it reads.

    Body types are made when the first body comes: that takes a third of a millisecond, and most models of a
    large project are never written by the process at hand. Paths are below the application's root.
    """

    def __init__(self, meta: ModelMeta, prefix: str) -> None:
        if not _ROUTE.fullmatch(meta.route):
            raise StartError(
                f"{meta.name}.__route__ is {meta.route!r}: "
                "a route is one segment of a path, made of letters, digits and . _ ~ -"
            )
        self.meta = meta
        self.cls = meta.cls
        self.is_writable = meta.auto_crud is True
        self.path = f"/{prefix}/{meta.route}"
        self.row_path = f"{self.path}/{{id:int}}"

    @cached_property
    def creation(self) -> ModelBody[Body]:
        """Decodes a new row."""
        return ModelBody(self.meta, self._creation_type)

    @cached_property
    def creation_list(self) -> ModelBody[list[Body]]:
        """Decodes many new rows."""
        return ModelBody(self.meta, creation_list_type(self._creation_type))

    @cached_property
    def change(self) -> ModelBody[Body]:
        """Decodes a change of one row."""
        return ModelBody(self.meta, self._change_type)

    @cached_property
    def bulk_change(self) -> ModelBody[Any]:
        """Decodes a change of all rows that pass a filter."""
        return ModelBody(self.meta, bulk_change_type(self.meta, self._change_type))

    @cached_property
    def _creation_type(self) -> type[Body]:
        return creation_type(self.meta)

    @cached_property
    def _change_type(self) -> type[Body]:
        return change_type(self.meta)
