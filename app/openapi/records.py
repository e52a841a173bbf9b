"""Schemas of models: the records that are answered, and what may be written, from the fields' metadata.

A record has the fields that may be read by anybody at all; private ones are in no schema. What an asker may
not read, or did not ask for, is absent from an answer, so only the id is sure to be there.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Optional

import msgspec

from app.crud.payloads import bulk_change_type, change_type, creation_list_type, creation_type
from app.openapi.schemas import REF, Schema, component_name, reference
from orm.fields.base import Field
from orm.fields.relations import RelationField, ToManyField
from orm.metadata import ModelMeta
from orm.registry import Registry

_SUFFIXES: Final = ("", "Page", "Creation", "Change", "BulkChange")


class Writing:
    """Schemas of what may be written to one model, and the components that they refer to.

    `prefix` comes before the names of those components.
    """

    def __init__(self, meta: ModelMeta, prefix: str) -> None:
        creation, change = creation_type(meta), change_type(meta)
        types = (creation, creation_list_type(creation), change, bulk_change_type(meta, change))
        schemas, components = msgspec.json.schema_components(
            types, ref_template=REF.format(name=prefix + "{name}")
        )
        self.creation, self.creation_list, self.change, self.bulk_change = schemas
        self.components = {prefix + name: schema for name, schema in components.items()}
        for type_, is_new in ((creation, True), (change, False)):
            properties = self.components[prefix + component_name(type_.__name__)]["properties"]
            for name, schema in properties.items():
                properties[name] = schema | _notes(meta.fields[name], with_default=is_new)


def names_of_records(registry: Registry, taken: Iterable[str]) -> dict[str, str]:
    """The component of each model's records, by table: the name of its class, with the table before it
    where `taken`, or another model, has that name or one that is made from it.
    """
    names: dict[str, str] = {}
    used = set(taken)
    for meta in registry:
        made = {component_name(meta.name + suffix) for suffix in _SUFFIXES}
        if made & used:
            names[meta.table] = component_name(f"{meta.table}.{meta.name}")
        else:
            names[meta.table] = component_name(meta.name)
            used |= made
    return names


def record_schemas(metas: Iterable[ModelMeta], names: Mapping[str, str]) -> dict[str, Schema]:
    """The schemas of the models' records, and of all that their relations lead to, by component."""
    found: dict[str, Schema] = {}
    waiting = list(metas)
    while waiting:
        meta = waiting.pop()
        if names[meta.table] not in found:
            found |= _record(meta, names)
            waiting += [target for name, target in meta.targets.items() if not meta.fields[name].private]
    return found


def page_schema(record: str) -> Schema:
    """The schema of the rows that a search found."""
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": reference(record)},
            "next": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "description": "Cursor of the page behind this one, for `after`; null on the last one.",
            },
            "total": {"type": "integer", "minimum": 0, "description": "All rows, where they were counted."},
        },
        "required": ["data", "next"],
    }


def _record(meta: ModelMeta, names: Mapping[str, str]) -> dict[str, Schema]:
    """The component of the model's records, and those of Structs that its fields have as values."""
    record = names[meta.table]
    properties: dict[str, Schema] = {}
    found: dict[str, Schema] = {
        record: {"title": meta.name, "type": "object", "properties": properties, "required": ["id"]}
    }
    for field in meta.fields.values():
        if field.private:
            continue
        if isinstance(field, RelationField):
            schema = _relation(field, reference(names[meta.targets[field.name].table]))
        else:
            schema, components = _value(field, prefix=f"{record}.")
            found |= components
        properties[field.name] = schema | _notes(field, with_default=False)
        if field.readonly:
            properties[field.name]["readOnly"] = True
    return found


def _relation(field: RelationField, record: Schema) -> Schema:
    """Ids, or what was asked of the records behind them."""
    options = [{"type": "integer"}, record]
    if isinstance(field, ToManyField):
        return {"type": "array", "items": {"anyOf": options}}
    return {"anyOf": [*options, {"type": "null"}] if field.nullable else options}


def _value(field: Field, *, prefix: str) -> tuple[Schema, dict[str, Schema]]:
    accepted: Any = field.annotation()
    (schema,), components = msgspec.json.schema_components(
        (Optional[accepted] if field.nullable else accepted,),  # noqa: UP045 - `|` is not for every annotation
        ref_template=REF.format(name=prefix + "{name}"),
    )
    return schema, {prefix + name: component for name, component in components.items()}


def _notes(field: Field, *, with_default: bool) -> Schema:
    notes: Schema = {"description": field.description} if field.description else {}
    if with_default and field.has_literal_default:
        notes["default"] = msgspec.to_builtins(field.default, builtin_types=())
    return notes
