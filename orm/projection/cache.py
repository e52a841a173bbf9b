"""Compiled projections, kept."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from orm.access import UNLIMITED, Grant
from orm.filters.parse import PYTHON_LIMITS, FilterLimits, Related
from orm.metadata import ModelMeta
from orm.projection.compiled import NO_ARGUMENTS, Arguments, Projection
from orm.projection.tree import Planter, fields_with_pointers

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class ProjectionCache:
    """Compiled projections, least recently used out first: a client chooses the fields, so their number is
    bounded.

    Askers whose rights on the joined models differ need projections of their own for the same fields; a
    few of those are kept side by side, so that users of several roles do not drive each other's out."""

    def __init__(self, capacity: int = 512, variants: int = 8) -> None:
        self._capacity = capacity
        self._variants = variants
        self._kept: OrderedDict[Hashable, list[Projection]] = OrderedDict()
        self._whole: dict[str, Projection] = {}

    def whole(self, meta: ModelMeta) -> Projection:
        """Every stored field, whoever asks. One for each model, so that they need no bound."""
        made = self._whole.get(meta.table)
        if made is None:
            made, _ = self.get(meta, None, grant=UNLIMITED, related=None)
            self._whole[meta.table] = made
        return made

    def get(
        self,
        meta: ModelMeta,
        fields: Sequence[str] | None,
        *,
        grant: Grant,
        related: Related | None,
        nested: Mapping[str, Any] = _NOTHING,
        limits: FilterLimits = PYTHON_LIMITS,
        pointer: str = "",
    ) -> tuple[Projection, Arguments]:
        """The projection of `fields` and `nested`, and what it needs of the asker.

        `fields` are names, dotted through relations; None means every stored field that may be read; the
        id is always among them. `nested` refines relations. `pointer` is "" or where the two stand, "/".
        Raises FilterError for an unknown name, AccessDenied for a hidden one."""
        key = _key(meta, fields, nested, grant, limits)
        try:
            kept = self._kept.get(key)
        except TypeError:  # a field that is no text, and about to be refused
            key = kept = None
        for projection in kept or ():
            arguments = projection.arguments(related)
            if arguments is not None:
                self._kept.move_to_end(key)
                return projection, arguments
        planter = Planter(related, limits, Projection)
        paths = fields_with_pointers(fields, f"{pointer}fields" if pointer else "")
        made = Projection(planter.grow(meta, grant, paths, nested, f"{pointer}nested" if pointer else ""))
        if key is not None:
            self._kept[key] = [made, *(kept or ())[: self._variants - 1]]
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return made, made.arguments(related) or NO_ARGUMENTS


def _key(
    meta: ModelMeta, fields: Any, nested: Mapping[str, Any], grant: Grant, limits: FilterLimits
) -> Hashable | None:
    """What tells one projection from another; None for what cannot be told apart. Only what was compiled
    is ever found again, so that what is refused need not be told from it."""
    if fields is not None:
        if not isinstance(fields, list | tuple):
            return None
        fields = tuple(fields)
    if not nested:
        return (meta.table, grant.hidden, fields)
    try:
        # not as JSON, in which a NaN is null
        text = msgspec.msgpack.encode(nested, order="sorted")
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        return None
    return (meta.table, grant.hidden, fields, text, limits)
