"""What a client may do with the rows that hang on a row he writes: commands, each over a list of rows.

    {"name": "Ada", "tasks": {"create": [{"title": "sow"}], "link": [7], "update": [{"id": 3, "done": true}]}}

They run in the order set, unlink, link, create, update, delete. What a command would write must be writable
over the API in its own place too: a model that is only read there, and a reference that is read-only, are no
more writable through a relation.
"""

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Raw, UnsetType

from app.http.bodies import Body
from orm.fields.relations import Many2manyField, One2manyField
from orm.metadata import ModelMeta
from orm.verbs.relations import COMMANDS, MAX_DEPTH, MAX_ROWS

DEEPEST: Final = MAX_DEPTH
"""Levels of rows within rows that one body may write."""

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ids = Annotated[list[Id], Meta(max_length=MAX_ROWS)]
Rows = Annotated[list[Raw], Meta(max_length=MAX_ROWS)]


class RelationCommands(Body):
    """What is to become of the rows of a to-many relation; those that are not named stay as they are.

    `set` makes the rows of these ids the only ones; `unlink` and `link` take some away and join others;
    `create`, `update` (each row with its `id`) and `delete` are those verbs on the rows themselves.
    """

    set: Ids | UnsetType = UNSET
    unlink: Ids | UnsetType = UNSET
    link: Ids | UnsetType = UNSET
    create: Rows | UnsetType = UNSET
    update: Rows | UnsetType = UNSET
    delete: Ids | UnsetType = UNSET


def wants_if_match(meta: ModelMeta) -> bool:
    """Whether rows of the model are changed only by who says with If-Match which version he means."""
    return meta.cls.__if_match__ == "required"


def commands_of(meta: ModelMeta, name: str) -> frozenset[str]:
    """The commands that the to-many relation `name` takes over the API; none: it cannot be written there."""
    field, target = meta.fields[name], meta.targets[name]
    if field.readonly or field.private:
        return frozenset()
    is_blind = {"update", "delete"} if not wants_if_match(target) else set()
    if isinstance(field, Many2manyField):
        own = {"set", "unlink", "link"}  # the links are a part of this row
        return frozenset(own | {"create"} | is_blind if target.auto_crud is True else own)
    assert isinstance(field, One2manyField)
    inverse = target.fields[field.inverse]
    if target.auto_crud is not True or inverse.private:
        return frozenset()
    if inverse.readonly or not is_blind:  # a new row may hang here; no row may be moved
        return frozenset({"create"} | is_blind)
    return frozenset(COMMANDS)


def given_by_relation(meta: ModelMeta, name: str) -> str | None:
    """The field of a new row of relation `name` that the relation itself fills in."""
    field: Any = meta.fields[name]
    return field.inverse if isinstance(field, One2manyField) else None
