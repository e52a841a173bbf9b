"""What may be written to a model: Structs made from its fields, their limits included.

    name: str = Char(max_length=80, required=True)     ->  name: Annotated[str, Meta(max_length=80)]
    note: str | None = Text()                          ->  note: str | None | UnsetType = UNSET
    tasks: list[Task] = One2many("tasks", "owner_id")  ->  tasks: RelationCommands | UnsetType = UNSET

Read-only and private fields are not among them. What a type cannot say (the digits of a Decimal, a NUL in a
text) the field checks when its value becomes a column.
"""

from collections.abc import Container
from typing import Annotated, Any, Final, Optional, Union, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.crud.relations import Id, RelationCommands, commands_of
from app.http.bodies import Body, BodyDecoder
from orm.metadata import ModelMeta

MOST_RECORDS: Final = 1000
"""Records that one request may create; rows that hang on them, or on a changed one, count too."""


class Condition(Body):
    """Which rows a bulk write is about; `all` is the explicit word for no filter."""

    filter: list[Any] = msgspec.field(default_factory=list)
    all: bool = False


condition_body: Final = BodyDecoder(Condition)
"""Decodes the body of POST /api/{route}/delete."""


def creation_type(meta: ModelMeta, *, without: str | None = None) -> type[Body]:
    """What a new row of the model is made from: fields that must be given, and others that may be.

    `without` is a field that somebody else gives: the relation that the row hangs on.
    """
    required = {name for name, field in meta.fields.items() if field.must_be_given}
    name = f"{meta.name}Creation" if without is None else f"{meta.name}CreationWithout_{without}"
    return _struct(name, meta, required, left_out={without})


def creation_list_type(creation: type[Body]) -> Any:
    """What many new rows are made from."""
    return Annotated[list[creation], Meta(max_length=MOST_RECORDS)]  # type: ignore[valid-type]


def change_type(meta: ModelMeta) -> type[Body]:
    """What a row of the model can be changed to: every field may be left out."""
    return _struct(f"{meta.name}Change", meta, ())


def named_change_type(meta: ModelMeta) -> type[Body]:
    """The same for a row within another body, which is named by its id."""
    return _define(f"{meta.name}NamedChange", [("id", Id)], change_type(meta))


def values_type(meta: ModelMeta) -> type[Body]:
    """What many rows can be changed to at once: their columns, nothing that hangs on them."""
    return _struct(f"{meta.name}Values", meta, (), left_out=meta.to_many)


def bulk_change_type(meta: ModelMeta, values: type[Body]) -> type[Body]:
    """A Condition, and as `values` the same change for all rows that it is about."""
    return _define(f"{meta.name}BulkChange", [("values", values)], Condition)


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body names, with their values."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


def _struct(
    name: str, meta: ModelMeta, required: Container[str], *, left_out: Container[str | None] = ()
) -> type[Body]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in meta.fields.values():
        if field.readonly or field.private or field.name in left_out:
            continue
        if field.name in meta.to_many:
            if commands_of(meta, field.name):
                fields.append((field.name, Union[RelationCommands, UnsetType], UNSET))  # noqa: UP007
            continue
        accepted = field.annotation()
        if field.nullable:
            accepted = Optional[accepted]  # noqa: UP045 - `|` is not defined for every annotation
        if field.name in required:
            fields.append((field.name, accepted))
        else:
            fields.append((field.name, Union[accepted, UnsetType], UNSET))  # noqa: UP007
    return _define(name, fields, Body)


def _define(name: str, fields: list[tuple[str, Any] | tuple[str, Any, Any]], base: type[Body]) -> type[Body]:
    return cast("type[Body]", msgspec.defstruct(name, fields, bases=(base,), kw_only=True))
