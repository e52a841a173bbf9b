"""Where a verb acts: the bound home, the composed model, and what the asker may do with it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from orm import context
from orm.access import UNLIMITED, Grant, Operation, grant_for
from orm.errors import AccessDenied
from orm.fields.base import Field
from orm.filters.parse import (
    EVERYTHING,
    HTTP_LIMITS,
    PYTHON_LIMITS,
    BoundFilter,
    FilterLimits,
    Shape,
    parse_filter,
    refuse_no_list,
)
from orm.metadata import ModelMeta
from orm.projection import NO_ARGUMENTS, Arguments, Projection
from orm.refusals import hidden_field, unknown_field, wrong

if TYPE_CHECKING:
    from orm.model import DotModel

_EVERY_ROW: Final = BoundFilter()

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
"""No refinement of any relation."""


class Scope:
    """One verb's view of the world. Made anew for each call; holds no state of its own.

    `api` says that the question comes from a client of the API, who is bound to more than the program is:
    private fields are out of bounds on every model that a path leads to, whoever asks; filters are
    limited; places of errors begin with the name of the argument; a row that he may not read cannot be
    written either."""

    __slots__ = ("api", "db", "grant", "meta", "operation", "policy", "registry")

    def __init__(self, cls: "type[DotModel]", operation: Operation, *, api: bool = False) -> None:
        home = context.current()
        self.db = home.db
        self.registry = home.registry
        self.policy = home.policy
        self.meta: ModelMeta = home.registry.of(cls)
        self.operation = operation
        self.api = api
        if self.policy is None and not api:
            self.grant: Grant = UNLIMITED
        else:
            self.grant = self.grant_on(self.meta, operation)

    def grant_on(self, meta: ModelMeta, operation: Operation = "read") -> Grant:
        """What the asker may do with a model. Raises AccessDenied when that is nothing."""
        grant = grant_for(self.policy, meta, operation)
        if self.api and meta.private:
            return Grant(grant.rule, grant.hidden | meta.private)
        return grant

    @property
    def related(self) -> Callable[..., Grant] | None:
        """What says what the asker may do with another model that a dotted path leads to; None:
        anything."""
        return self.grant_on if self.api or self.policy is not None else None

    @property
    def rule(self) -> Shape:
        """What every row must pass for the asker."""
        return self.grant.rule.shape if self.grant.rule is not None else EVERYTHING

    @property
    def rule_values(self) -> tuple[Any, ...]:
        """The values of `rule`."""
        return self.grant.rule.values if self.grant.rule is not None else ()

    @property
    def unwritable(self) -> frozenset[str]:
        """The fields that the asker may not write: those hidden from him, and for a client of the API those
        that only the program writes."""
        if self.api and self.meta.readonly:
            return self.grant.hidden | self.meta.readonly
        return self.grant.hidden

    def readable(self) -> Grant:
        """The asker's grant to read the same model: what he may not read he may not filter by either."""
        return self.grant if self.operation == "read" else self.grant_on(self.meta)

    def sight(self) -> BoundFilter:
        """What a row must pass, besides `rule`, to exist for a client of the API who is about to write it.

        Mostly nothing, because one rule serves reading and writing. Raises AccessDenied when he may not
        read the model at all: the answer would tell him what is in it."""
        rule = self.readable().rule if self.api else None
        return _EVERY_ROW if rule is None or rule == self.grant.rule else rule

    def shown(self) -> Projection:
        """What a client of the API is told of a row that he has written: all that he may read of it, at
        least its id."""
        try:
            grant = self.readable()
        except AccessDenied:
            return self._stored(("id",), UNLIMITED)
        return self._stored(None, grant)

    def every_column(self) -> Projection:
        """Every stored field, whoever asks: what a program that wrote a row gets back."""
        return self.registry.projections.whole(self.meta)

    def _stored(self, fields: Sequence[str] | None, grant: Grant) -> Projection:
        return self.registry.projections.get(self.meta, fields, grant=grant, related=None)[0]

    def project(
        self, fields: Sequence[str] | None, nested: Mapping[str, Any] = NOTHING
    ) -> tuple[Projection, Arguments]:
        """The projection of `fields` and `nested` with the asker's rights, and what it needs of him."""
        if fields is None and not nested and self.grant is UNLIMITED:
            return self.registry.projections.whole(self.meta), NO_ARGUMENTS
        return self.registry.projections.get(
            self.meta,
            fields,
            grant=self.grant,
            related=self.related,
            nested=nested,
            limits=self.limits,
            pointer="/" if self.api else "",
        )

    @property
    def limits(self) -> FilterLimits:
        """How much the asker's filters may ask for."""
        return HTTP_LIMITS if self.api else PYTHON_LIMITS

    def place(self, argument: str) -> str:
        """The pointer of an argument of the verb: empty where the program calls it."""
        return f"/{argument}" if self.api else ""

    def readable_field(self, name: Any, pointer: str) -> Field:
        """The stored field of that name. Raises FilterError when there is none, AccessDenied for a hidden
        one."""
        field = self.meta.fields.get(name) if isinstance(name, str) else None
        if field is None:
            raise unknown_field(self.meta, name, pointer)
        if not field.stored:
            raise wrong(pointer, "not_comparable", f"{self.meta.name}.{name} has no column")
        if name in self.readable().hidden:
            raise hidden_field(self.meta, field.name, pointer)
        return field

    def parse(self, filter: Sequence[Any]) -> BoundFilter:
        """`filter` as shape and values, with the asker's rights on every field that it names."""
        if not filter:
            if filter.__class__ is not tuple:  # the parameter's default is one
                refuse_no_list(filter, self.place("filter"))
            return _EVERY_ROW
        return parse_filter(
            self.meta,
            filter,
            hidden=self.readable().hidden,
            related=self.related,
            limits=self.limits,
            pointer=self.place("filter"),
        )
