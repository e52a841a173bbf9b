"""Schemas of what may be written: the bodies of `app.crud`, by the very types that decode them.

Rows within a body are left as text by those types and decoded in turn (see `app.crud.bodies`): here they are
told of in full, each relation with the commands that it takes and the rows that these read.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from app.crud.payloads import (
    bulk_change_type,
    change_type,
    creation_list_type,
    creation_type,
    named_change_type,
    values_type,
)
from app.crud.relations import RelationCommands, commands_of, given_by_relation
from app.http.bodies import Body
from app.openapi.fields import FieldSchemas, notes, written
from app.openapi.schemas import Schema, component_name, reference
from orm.metadata import ModelMeta
from orm.verbs.relations import COMMANDS

_ID: Final = "id"


class _Body(NamedTuple):
    """A body whose component is still to be made."""

    meta: ModelMeta
    kind: str
    without: str | None


class Writings:
    """The bodies about all models, as components that are made when something refers to them.

    `records` has the component of each model's records, by table: what stands there before the model's name
    comes before the names of its bodies, too. `condition` is the component of a body that names rows.
    """

    def __init__(self, records: Mapping[str, str], fields: FieldSchemas, condition: Schema) -> None:
        self._records = records
        self._fields = fields
        self._condition = condition
        _, components = msgspec.json.schema_components((RelationCommands,))
        self._commands: dict[str, Schema] = components[RelationCommands.__name__]["properties"]
        self._list = msgspec.json.schema(creation_list_type(msgspec.Raw))  # type: ignore[arg-type]
        self._types: dict[_Body, type[msgspec.Struct]] = {}
        self._waiting: list[_Body] = []

    def creation(self, meta: ModelMeta) -> Schema:
        """A new row."""
        return self._refer(_Body(meta, "creation", None))

    def creations(self, meta: ModelMeta) -> Schema:
        """Many new rows."""
        return self._list | {"items": self.creation(meta)}

    def change(self, meta: ModelMeta) -> Schema:
        """A change of one row."""
        return self._refer(_Body(meta, "change", None))

    def bulk_change(self, meta: ModelMeta) -> Schema:
        """A change of all rows that pass a filter."""
        return self._refer(_Body(meta, "bulk change", None))

    def components(self) -> dict[str, Schema]:
        """All that was referred to, and what that refers to in turn."""
        made = {}
        while self._waiting:  # a row may lead to others, and back to its own model
            body = self._waiting.pop()
            made[self._name(body)] = self._bulk(body) if body.kind == "bulk change" else self._made(body)
        return made

    def _refer(self, body: _Body) -> Schema:
        if body not in self._types:
            self._types[body] = _type(body)
            self._waiting.append(body)
        return reference(self._name(body))

    def _name(self, body: _Body) -> str:
        prefix = self._records[body.meta.table].removesuffix(body.meta.name)
        return component_name(prefix + self._types[body].__name__)

    def _made(self, body: _Body) -> Schema:
        meta = body.meta
        of_fields = self._fields.of(meta)
        properties: dict[str, Schema] = {}
        required = []
        for field in msgspec.structs.fields(self._types[body]):
            name = field.name
            if field.required:
                required.append(name)
            if name in meta.to_many:
                schema = self._relation(meta, name)
            elif name == _ID:
                schema = dict(self._commands["link"]["items"])
            else:
                schema = written(of_fields[name])
            properties[name] = schema | notes(meta.fields[name], with_default=body.kind == "creation")
        return {
            "title": self._types[body].__name__,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def _bulk(self, body: _Body) -> Schema:
        values = self._refer(_Body(body.meta, "values", None))
        properties = self._condition["properties"] | {"values": values}
        title = self._types[body].__name__
        return self._condition | {"title": title, "properties": properties, "required": ["values"]}

    def _relation(self, meta: ModelMeta, name: str) -> Schema:
        """The commands that a relation takes, and what each of them reads."""
        target, allowed = meta.targets[name], commands_of(meta, name)
        commands = {command: dict(self._commands[command]) for command in COMMANDS if command in allowed}
        if "create" in commands:
            new = _Body(target, "creation", given_by_relation(meta, name))
            commands["create"]["items"] = self._refer(new)
        if "update" in commands:
            commands["update"]["items"] = self._refer(_Body(target, "named change", None))
        return {"type": "object", "properties": commands, "additionalProperties": False}


def _type(body: _Body) -> Any:
    if body.kind == "creation":
        return creation_type(body.meta, without=body.without)
    if body.kind == "change":
        return change_type(body.meta)
    if body.kind == "named change":
        return named_change_type(body.meta)
    if body.kind == "bulk change":
        return bulk_change_type(body.meta, Body)  # its values are told of apart from it
    return values_type(body.meta)
