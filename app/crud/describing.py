"""GET /api/{route}/fields and /api/{route}/defaults: enough for a program to build a form.

What is told depends on who asks: a field is there when he may read or write it, and says which of these.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.types import Receive, Scope, Send

from app.crud.incoming import refuse_query
from app.crud.relations import commands_of, wants_if_match
from app.crud.resource import Resource
from app.crud.rights import Can, Rights
from app.http.json import encode
from app.http.replies import send_json
from orm.access import Operation
from orm.fields.base import Field
from orm.fields.computed import ComputedField
from orm.fields.numbers import DecimalField, IntegerField, NumberField
from orm.fields.relations import Many2manyField, One2manyField, RelationField
from orm.fields.text import SelectionField, TextField
from orm.metadata import ModelMeta
from orm.verbs.relations import COMMANDS


class CanField(msgspec.Struct, frozen=True, gc=False):
    """Rights on one field."""

    read: bool
    create: bool
    update: bool


class Option(msgspec.Struct, frozen=True, gc=False):
    """One value of a selection."""

    value: str
    label: str


class Relation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a relation leads: `route` of the other model, null where it has no API.

    `inverse` is the other model's field that points here. `commands` are those of a to-many relation that
    the asker may give.
    """

    route: str | None
    is_many: bool
    inverse: str | UnsetType = UNSET
    commands: list[str] | UnsetType = UNSET


class FieldDescription(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One field. `required` is whether a new row must name it; `default` is there where it is a constant.

    Limits are there where the field has them; those of decimals are strings, like their values.
    """

    name: str
    type: str
    label: str
    description: str
    required: bool
    nullable: bool
    readonly: bool
    unique: bool
    has_default: bool
    can: CanField
    default: Any = UNSET
    min: Any = UNSET
    max: Any = UNSET
    precision: int | UnsetType = UNSET
    scale: int | UnsetType = UNSET
    min_length: int | UnsetType = UNSET
    max_length: int | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    options: list[Option] | UnsetType = UNSET
    relation: Relation | UnsetType = UNSET


class ModelDescription(msgspec.Struct, frozen=True, gc=False):
    """A model, its fields in `data`. `unique` are the groups of fields that `?on=` takes."""

    route: str
    label: str
    can: Can
    if_match: Literal["optional", "required"]
    unique: list[list[str]]
    actions: list[str]
    data: list[FieldDescription]


async def describe(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}/fields."""
    refuse_query(scope)
    meta = resource.meta
    rights = Rights(meta)
    rights.expect("read", "create", "update", "delete")
    fields = [
        _described(meta, field, rights, resource) for field in meta.fields.values() if not field.private
    ]
    told = [field for field in fields if field.can.read or field.can.create or field.can.update]
    names = {field.name for field in told}
    can = rights.can
    if not resource.is_writable:
        can = Can(create=False, read=can.read, update=False, delete=False)
    description = ModelDescription(
        route=meta.route,
        label=label_of(meta.name),
        can=can,
        if_match="required" if wants_if_match(meta) else "optional",
        unique=[list(group) for group in meta.uniques if names.issuperset(group)],
        actions=[name for name, action in resource.actions.items() if rights.may(action.needs)],
        data=told,
    )
    await send_json(send, 200, encode(description))


async def tell_defaults(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}/defaults: what a new row would have in the fields that a client may name and does
    not."""
    refuse_query(scope)
    rights = Rights(resource.meta)
    rights.expect("create")
    defaults = {
        field.name: field.default_value()
        for field in resource.meta.fields.values()
        if field.has_default and not (field.readonly or field.private) and rights.may("create", field.name)
    }
    await send_json(send, 200, encode(defaults))


def label_of(name: str) -> str:
    """The words of a name, as people read them: `owner_id` is Owner, `PartnerCategory` is Partner
    category."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    words = [word for word in spaced.replace("_", " ").split() if word]
    if len(words) > 1 and words[-1] in ("id", "ids"):
        del words[-1]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def _described(meta: ModelMeta, field: Field, rights: Rights, resource: Resource) -> FieldDescription:
    shown = field.of if isinstance(field, ComputedField) else field
    relation = _relation(meta, field) if isinstance(field, RelationField) else UNSET
    return FieldDescription(
        name=field.name,
        type=shown.kind,
        label=label_of(field.name),
        description=field.description,
        required=field.must_be_given,
        nullable=field.nullable,
        readonly=field.readonly,
        unique=field.unique,
        has_default=field.has_default,
        can=_can(meta, field, rights, relation, is_writable=resource.is_writable),
        default=field.default if field.has_literal_default else UNSET,
        relation=relation,
        **_limits(shown),
    )


def _can(
    meta: ModelMeta, field: Field, rights: Rights, relation: Relation | UnsetType, *, is_writable: bool
) -> CanField:
    may_read = rights.may("read", field.name)
    may_write = is_writable and not field.readonly
    if relation is not UNSET and relation.is_many:
        may_read = may_read and Rights(meta.targets[field.name]).may("read")
        may_write = may_write and bool(relation.commands)
    return CanField(
        read=may_read,
        create=may_write and rights.may("create", field.name),
        update=may_write and rights.may("update", field.name),
    )


def _relation(meta: ModelMeta, field: RelationField) -> Relation:
    target = meta.targets[field.name]
    route = target.route if target.auto_crud else None
    if field.name not in meta.to_many:
        return Relation(route=route, is_many=False)
    rights = Rights(target)
    # To link through a link table is to read the other row; through its own reference, to write it.
    joining: Operation = "read" if isinstance(field, Many2manyField) else "update"
    needs: dict[str, Operation] = {"create": "create", "update": "update", "delete": "delete"}
    allowed = commands_of(meta, field.name)
    return Relation(
        route=route,
        is_many=True,
        inverse=field.inverse if isinstance(field, One2manyField) else UNSET,
        commands=[one for one in COMMANDS if one in allowed and rights.may(needs.get(one, joining))],
    )


def _limits(field: Field) -> dict[str, Any]:
    """What a value must keep to, by the names that the declaration has for it."""
    found: dict[str, Any] = {}
    if isinstance(field, IntegerField):
        found["min"], found["max"] = field.bounds
    elif isinstance(field, NumberField):
        found |= {"min": field.min, "max": field.max}
    if isinstance(field, DecimalField):
        found = {name: None if limit is None else str(limit) for name, limit in found.items()}
        found |= {"precision": field.precision, "scale": field.scale}
    if isinstance(field, TextField):
        found |= {name: getattr(field, name) for name in ("min_length", "max_length", "pattern")}
    if isinstance(field, SelectionField):
        found["options"] = [Option(value, label) for value, label in field.options]
    return {name: value for name, value in found.items() if value is not None}
