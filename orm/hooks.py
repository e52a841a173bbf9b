"""Hooks: what a model has to say about the writing of its rows.

    class Invoice(DotModel):
        ...

        @classmethod
        async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
            await super().before_update(ids, values)
            values["updated_at"] = utc_now()

A hook runs for every verb: single, bulk, upsert, through relations at every node, and over the API. A mixin
may bring one, and calls `super()` so that others are heard too. A hook that no model overrides costs
nothing: that is found out once, when the models are composed."""

import inspect
from collections.abc import Sequence
from typing import Any, Final

from orm.errors import DeclarationError

HOOKS: Final = (
    "before_create",
    "after_create",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
)


class Hooks:
    """The hooks of a model, none of which does anything.

    They run in the transaction of the write (joined if one is open): one that raises undoes the write. They
    see the asker of the context unchanged, so that verbs inside them are bound to his rights; what is the
    program's own business stands in `with env.system():`.

    What the `before_` ones put into `records` or `values` is checked like anything that is written, but for
    the asker's rights: it is the program's word, and may be a field that is readonly, private or hidden
    from him. They see values as they were given, known to fit their fields and to be allowed; commands to
    relations stand among them under the relation's name. Defaults are filled in afterwards."""

    __slots__ = ()

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        """Rows are about to be made of `records`, which may be changed in place, but not added to or taken
        from."""

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        """The rows `ids` were made, with all that was written through their relations, in the order of the
        records."""

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """The rows `ids`, which are locked, are about to get `values`, which may be changed in place.

        `ids` are those that the asker's rules and the filter let through; when there are none no hook
        runs."""

    @classmethod
    async def after_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        """The rows `ids` have got `values`, with all that was written through their relations."""

    @classmethod
    async def before_delete(cls, ids: Sequence[int]) -> None:
        """The rows `ids`, which are locked, are about to go. Rows that go with them by a foreign key (ON
        DELETE CASCADE) go in the database: their models' hooks do not run."""

    @classmethod
    async def after_delete(cls, ids: Sequence[int]) -> None:
        """The rows `ids` are gone."""


def overridden(cls: type[Hooks]) -> frozenset[str]:
    """The hooks that `cls` has of its own or from a mixin. Raises DeclarationError for one that cannot be
    called as one."""
    found = set()
    for name in HOOKS:
        hook = inspect.getattr_static(cls, name)
        if hook is inspect.getattr_static(Hooks, name):
            continue
        if not isinstance(hook, classmethod) or not inspect.iscoroutinefunction(hook.__func__):
            raise DeclarationError(f"{cls.__name__}.{name} is a hook: declare it as `@classmethod async def`")
        found.add(name)
    return frozenset(found)
