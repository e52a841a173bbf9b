"""What a composed model is: its class, table, fields and relations, resolved and frozen.

Metadata belongs to one registry. The class that a program declares knows only its own fields; the composed
class, which records are instances of, also has the fields that other modules added, and knows its metadata
as `__meta__`."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from orm.errors import DeclarationError
from orm.fields.base import IDENTIFIER, Field
from orm.fields.computed import ComputedField
from orm.fields.relations import Many2manyField, Many2oneField, One2manyField, RelationField, ToManyField
from orm.hooks import overridden
from orm.indexes import Index
from orm.schema.names import foreign_key_name, unique_name

if TYPE_CHECKING:
    from orm.model import DotModel

ROUTE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
"""One segment of a path that needs no escapes."""


class ModelMeta:
    """One composed model. Filled by the registry, read-only from then on."""

    def __init__(self, cls: "type[DotModel]", *, module: str) -> None:
        self.name: str = cls.__name__
        self.module = module
        self.table: str = cls.__table__
        self.route: str = cls.__route__ or cls.__table__
        self.auto_crud: bool | str = cls.__auto_crud__
        self.cls = cls
        self.fields: Mapping[str, Field] = cls.__fields__
        self.stored: Mapping[str, Field] = {
            name: field for name, field in self.fields.items() if field.stored
        }
        self.completed = tuple(
            field for field in self.stored.values() if field.has_default or field.must_be_given
        )
        """The fields that a new row must have, given or by default."""
        self.completed_names = frozenset(field.name for field in self.completed)
        self.columns: tuple[str, ...] = tuple(name for name, field in self.fields.items() if field.stored)
        self.private = frozenset(name for name, field in self.fields.items() if field.private)
        self.readonly = frozenset(name for name, field in self.fields.items() if field.readonly)
        self.hooks = overridden(cls)
        self.audit: bool = cls.__audit__
        self.partial_uniques: Mapping[str, tuple[str, ...]] = {}
        """The fields of each index that keeps some of the rows apart, by its name. Filled by the registry."""
        self.audits_delete = self.audit
        """Whether deleting a row here changes an audited table: this one, or one whose rows go with it."""
        self.computed = frozenset(
            name for name, field in self.fields.items() if isinstance(field, ComputedField)
        )
        self.recomputed = tuple(name for name in self.columns if name in self.computed)
        """What the database computes anew when a row is changed."""
        self.to_many = frozenset(
            name for name, field in self.fields.items() if isinstance(field, ToManyField)
        )
        self.targets: dict[str, ModelMeta] = {}
        self.decoders: dict[str, Callable[[Any], Any]] = {
            name: decoder for name, field in self.fields.items() if (decoder := field.decoder())
        }
        self.json_decoders: dict[str, Callable[[Any], Any]] = {
            name: decoder for name, field in self.fields.items() if (decoder := field.json_decoder())
        }
        self._check()

    def _check(self) -> None:
        if self.cls.__if_match__ not in ("optional", "required"):
            raise DeclarationError(
                f'{self.name}.__if_match__ is {self.cls.__if_match__!r}: it is "optional" or "required"'
            )
        if not isinstance(self.audit, bool):
            raise DeclarationError(f"{self.name}.__audit__ is {self.audit!r}: it is True or False")
        if not IDENTIFIER.fullmatch(str(self.table)):
            raise DeclarationError(
                f"{self.name}.__table__ is {self.table!r}: "
                "a table name is lower case letters, digits and underscores, at most 63 of them"
            )
        if self.auto_crud and not ROUTE.fullmatch(str(self.route)):
            raise DeclarationError(
                f"{self.name}.__route__ is {self.route!r}: "
                "a route is one segment of a path, made of letters, digits and . _ ~ -"
            )
        if self.auto_crud not in (True, False, "read"):
            raise DeclarationError(
                f'{self.name}.__auto_crud__ is {self.auto_crud!r}: it is True, "read" or False'
            )
        indexed = tuple(tuple(index.fields) for index in self.indexes)
        for attribute, groups in (("__indexes__", indexed), ("__unique__", self.uniques)):
            for name in (name for names in groups for name in names):
                if name.removeprefix("-") not in self.columns:
                    raise DeclarationError(
                        f"{self.name}.{attribute} names {name!r}, which is no stored field of the model"
                    )

    @property
    def indexes(self) -> tuple[Index, ...]:
        """The declared indexes besides those of single fields."""
        return tuple(
            index if isinstance(index, Index) else Index(tuple(index)) for index in self.cls.__indexes__
        )

    @property
    def uniques(self) -> tuple[tuple[str, ...], ...]:
        """Groups of fields that no two rows share, single unique fields included."""
        single = tuple((name,) for name, field in self.fields.items() if field.unique)
        return single + tuple(tuple(names) for names in self.cls.__unique__)

    @cached_property
    def foreign_keys(self) -> tuple[str, ...]:
        """The fields that refer to rows of other tables."""
        return tuple(name for name, field in self.fields.items() if isinstance(field, Many2oneField))

    @property
    def links(self) -> tuple[Many2manyField, ...]:
        """The many-to-many relations, each of which has a link table."""
        return tuple(field for field in self.fields.values() if isinstance(field, Many2manyField))

    @cached_property
    def attended(self) -> frozenset[str]:
        """The operations that are more than their statement: a hook runs, or the trail is told who
        writes."""
        return frozenset(
            operation
            for operation in ("create", "update", "delete")
            if self.is_audited(operation) or self.has_hooks(operation)
        )

    def is_audited(self, operation: str) -> bool:
        """Whether the trail is told who writes."""
        return self.audits_delete if operation == "delete" else self.audit

    def has_hooks(self, operation: str) -> bool:
        """Whether a hook runs before or after."""
        return f"before_{operation}" in self.hooks or f"after_{operation}" in self.hooks

    def constraint_fields(self, constraint: str) -> tuple[str, ...]:
        """The fields that a constraint of our schema is about; empty for one that is not ours."""
        if constraint.endswith("_pkey"):
            return ("id",)
        for names in self.uniques:
            if constraint == unique_name(self.table, names):
                return names
        if constraint in self.partial_uniques:
            return self.partial_uniques[constraint]
        for name in self.foreign_keys:
            if constraint == foreign_key_name(self.table, name):
                return (name,)
        return ()

    def resolve(self, models: "Mapping[str, ModelMeta]") -> None:
        """Find the models that the relations point at, by table. Raises DeclarationError for one that is
        not there."""
        for name, field in self.fields.items():
            if isinstance(field, RelationField):
                table = field.target_table()
                if table not in models:
                    raise DeclarationError(
                        f"{self.name}.{name} points at table {table!r}, which no registered model has;"
                        " add its model to Models or its module to `installed`"
                    )
                self.targets[name] = models[table]
                if isinstance(field, One2manyField):
                    self._check_inverse(name, field, models[table])

    def _check_inverse(self, name: str, field: One2manyField, target: "ModelMeta") -> None:
        inverse = target.fields.get(field.inverse)
        if not isinstance(inverse, Many2oneField) or inverse.target_table() != self.table:
            raise DeclarationError(
                f"{self.name}.{name} is the other side of {target.name}.{field.inverse}, "
                f"which is no Many2one to {self.table!r}; name the field of {target.name} that points here"
            )

    def reference(self, id: int) -> "DotModel":
        """A record of which only the id is loaded."""
        record = object.__new__(self.cls)
        record.id = id
        return record

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return self.fields.get(name)

    def __repr__(self) -> str:
        return f"<ModelMeta {self.name} on {self.table}>"
