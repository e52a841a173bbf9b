"""What may be written to a model: Structs made from its fields, their limits included.

    name: str = Char(max_length=80, required=True)     ->  name: Annotated[str, Meta(max_length=80)]
    note: str | None = Text()                          ->  note: str | None | UnsetType = UNSET

Read-only and private fields are not among them. What a type cannot say (the digits of a Decimal, a NUL in a
text) the field checks when its value becomes a column.
"""

from collections.abc import Container
from typing import Annotated, Any, Final, Generic, Optional, TypeVar, Union, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.http.bodies import Body, BodyDecoder
from orm.errors import Invalid, Place
from orm.metadata import ModelMeta

T = TypeVar("T")

MOST_RECORDS: Final = 1000
"""Records that one request may create."""


class Condition(Body):
    """Which rows a bulk write is about; `all` is the explicit word for no filter."""

    filter: list[Any] = msgspec.field(default_factory=list)
    all: bool = False


condition_body: Final = BodyDecoder(Condition)
"""Decodes the body of POST /api/{route}/delete."""


def creation_type(meta: ModelMeta) -> type[Body]:
    """What a new row of the model is made from: fields that must be given, and others that may be."""
    required = {name for name, field in meta.fields.items() if field.must_be_given}
    return _struct(f"{meta.name}Creation", meta, required)


def creation_list_type(creation: type[Body]) -> Any:
    """What many new rows are made from."""
    return Annotated[list[creation], Meta(max_length=MOST_RECORDS)]  # type: ignore[valid-type]


def change_type(meta: ModelMeta) -> type[Body]:
    """What a row of the model can be changed to: every field may be left out."""
    return _struct(f"{meta.name}Change", meta, ())


def bulk_change_type(meta: ModelMeta, change: type[Body]) -> type[Body]:
    """A Condition, and as `values` the same change for all rows that it is about."""
    return _define(f"{meta.name}BulkChange", [("values", change)], Condition)


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body names, with their values."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


class ModelBody(Generic[T]):
    """Decodes bodies about one model; `body_type` is one of the types above. Made once for each."""

    def __init__(self, meta: ModelMeta, body_type: type[T]) -> None:
        self._meta = meta
        self._decoder = BodyDecoder(body_type)

    def decode(self, text: bytes) -> T:
        """The body. Raises Malformed for what is not JSON, Invalid with all the places that do not fit."""
        try:
            return self._decoder.decode(text)
        except Invalid as error:
            error.errors = tuple(map(self._explained, error.errors))
            if len(error.errors) == 1:
                error.detail = error.errors[0].message
            raise

    def _explained(self, place: Place) -> Place:
        """To the type a read-only field is as unknown as any other name, to the client it is not."""
        name = place.pointer.rpartition("/")[2]
        if place.code == "unknown" and name in self._meta.fields:
            return Place(place.pointer, "readonly", f"{self._meta.name}.{name} cannot be written here")
        return place


def _struct(name: str, meta: ModelMeta, required: Container[str]) -> type[Body]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in meta.fields.values():
        if not field.stored or field.readonly or field.private:
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
