"""How a class body becomes a model: the fields are taken out of it, checked, and replaced by slots.

A record keeps its values in slots rather than in a dictionary, which measured best: building a record of
eight columns from a row takes 0.19 microseconds against 0.71 for a dictionary, a read 10 nanoseconds, and
a slot that was never filled is a natural "not loaded" (Python then calls `__getattr__`). msgspec Structs
build faster still (0.07) and are what JSON is made from; as records they cannot tell an unset field from a
value without a check on every read.

A class without `__table__` is abstract: a mixin whose fields a model takes over as copies.
"""

import ast
import copy
import types
import typing
from collections.abc import Mapping
from typing import Any

from orm.errors import DeclarationError, FieldNotLoaded
from orm.fields.base import Field
from orm.fields.numbers import BigIntegerField
from orm.fields.relations import Many2oneField

RESERVED_NAMES = frozenset({"all", "filter"})
"""The parameters of update_bulk, beside which field names are keywords."""


SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
"""Every table of PostgreSQL has them."""


class IdField(BigIntegerField):
    """The primary key: given by the database, never written over the API.

    Eight bytes: an integer key runs out at 2.1e9 rows, and widening one rewrites the table under a lock.
    """

    def __init__(self) -> None:
        super().__init__(min=None, max=None, required=True, readonly=True, description="Identifies the row")

    @property
    def must_be_given(self) -> bool:
        """Never: the database gives it."""
        return False


class ReferenceAttribute:
    """A Many2one of a record: reads as a record of the other model, takes an id or a record.

    The row only has an id; the record around it is made on the first read, so that rows nobody looks at
    cost nothing."""

    def __init__(self, name: str, slot: str) -> None:
        self.name = name
        self.slot = slot

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            return self
        value = getattr(record, self.slot)
        if value.__class__ is int:
            value = record.__meta__.targets[self.name].reference(value) if record.__meta__ else value
            object.__setattr__(record, self.slot, value)
        return value

    def __set__(self, record: Any, value: Any) -> None:
        object.__setattr__(record, self.slot, value)


class ModelType(type):
    """The type of models. `__fields__` maps names to fields, `id` first, inherited before own."""

    __fields__: Mapping[str, Field]
    __slot_of__: Mapping[str, str]

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> "ModelType":
        """The class with its fields taken out, checked and replaced by slots. Raises DeclarationError."""
        own = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        for key in own:
            del namespace[key]
        _check_values(name, namespace)
        annotations = namespace.get("__annotations__", {})
        is_concrete = "__table__" in namespace or any(getattr(base, "__table__", "") for base in bases)
        inherited = _inherited(bases)
        fields: dict[str, Field] = {}
        for key, field in {**inherited, **own}.items():
            _check_name(name, key, bases)
            if key == "id" and not isinstance(field, IdField):
                raise DeclarationError(
                    f"{name}.id: every model has this field, its primary key; leave it out"
                )
            fields[key] = copy.copy(field)
            fields[key].hint = annotations.get(key, field.hint)
            fields[key].declare(
                name, key, optional=_optional(annotations.get(key)) if key in own else field.nullable
            )
        _check_shadowing(name, namespace, inherited)
        taken = {slot for base in bases for slot in getattr(base, "__slot_of__", {})}
        slots = {key: _slot(field) for key, field in fields.items()} if is_concrete else {}
        namespace["__slots__"] = tuple(slot for key, slot in slots.items() if key not in taken)
        for key, slot in slots.items():
            if slot != key:
                namespace[key] = ReferenceAttribute(key, slot)
        namespace["__fields__"] = types.MappingProxyType(fields)
        namespace["__slot_of__"] = types.MappingProxyType(slots)
        return super().__new__(mcls, name, bases, namespace, **options)


def not_loaded(model: str, name: str) -> FieldNotLoaded:
    """The error for reading a field that no statement fetched and nobody set."""
    return FieldNotLoaded(f"{model}.{name} was not loaded: name it in `fields`, or await record.refresh()")


def _slot(field: Field) -> str:
    return f"_ref_{field.name}" if isinstance(field, Many2oneField) else field.name


def _inherited(bases: tuple[type, ...]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for base in reversed(bases):
        fields |= getattr(base, "__fields__", {})
    if "id" in fields:
        fields = {"id": fields.pop("id"), **fields}
    return fields


def _check_values(model: str, namespace: Mapping[str, Any]) -> None:
    """Refuse what was meant for a field and is none."""
    for key, value in namespace.items():
        is_ours = isinstance(value, types.FunctionType) and value.__module__.startswith("orm.fields.")
        if is_ours and value.__name__[0].isupper():  # Char, and so on; utc_now may well stand there
            raise DeclarationError(
                f"{model}.{key}: {value.__name__} stands without brackets; write {value.__name__}()"
            )
        if isinstance(value, tuple) and any(isinstance(one, Field) for one in value):
            raise DeclarationError(
                f"{model}.{key}: is a tuple with a field in it; remove the comma behind the field"
            )


def _check_name(model: str, name: str, bases: tuple[type, ...]) -> None:
    for base in bases:
        verb = getattr(base, name, None) if name not in getattr(base, "__fields__", {}) else None
        if callable(verb) or isinstance(verb, property):
            raise DeclarationError(
                f"{model}.{name}: a field cannot be named like the verb `{name}`; choose another name"
            )
    if name in SYSTEM_COLUMNS:
        raise DeclarationError(
            f"{model}.{name}: PostgreSQL has a column `{name}` of its own in every table; choose another name"
        )
    if name in RESERVED_NAMES:
        raise DeclarationError(
            f"{model}.{name}: the verbs have a parameter `{name}`; choose another name for the field"
        )


def _check_shadowing(model: str, namespace: Mapping[str, Any], inherited: Mapping[str, Field]) -> None:
    for key in namespace:
        if key in inherited:
            raise DeclarationError(
                f"{model}.{key}: hides the inherited field `{key}` with something that is no field"
            )


def _optional(annotation: Any) -> bool | None:
    """Whether an annotation admits None; None when there is no annotation.

    Annotations may be texts (`from __future__ import annotations`, names that exist for type checkers
    only), so they are looked at and never evaluated."""
    if annotation is None:
        return None
    if isinstance(annotation, str):
        return _text_is_optional(ast.parse(annotation.strip(), mode="eval").body)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return type(None) in typing.get_args(annotation)
    return False


def _text_is_optional(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _text_is_optional(node.left) or _text_is_optional(node.right)
    if isinstance(node, ast.Subscript):
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return name == "Optional" or (
            name == "Union" and any(_text_is_optional(member) for member in members)
        )
    return isinstance(node, ast.Constant) and node.value is None
