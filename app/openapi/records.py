"""Schemas of models: the records that are answered, from the fields' metadata.

A record has the fields that may be read by anybody at all; private ones are in no schema. What an asker may
not read, or did not ask for, is absent from an answer, so only the id is sure to be there.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.openapi.fields import FieldSchemas, notes
from app.openapi.schemas import Schema, component_name, reference
from orm.fields.relations import RelationField, ToManyField
from orm.metadata import ModelMeta
from orm.registry import Registry

_READ: Final = ("", "Page")
_WRITTEN: Final = ("Creation", "Change", "NamedChange", "Values", "BulkChange")


def names_of_records(registry: Registry, taken: Iterable[str]) -> dict[str, str]:
    """The component of each model's records, by table: the name of its class, with the table before it
    where `taken`, or another model, has that name or one that is made from it.
    """
    names: dict[str, str] = {}
    used = set(taken)
    for meta in registry:
        suffixes = (*_READ, *_WRITTEN) if meta.auto_crud is True else _READ
        made = {component_name(meta.name + suffix) for suffix in suffixes}
        if made & used:
            names[meta.table] = component_name(f"{meta.table}.{meta.name}")
        else:
            names[meta.table] = component_name(meta.name)
            used |= made
    return names


def record_schemas(
    metas: Iterable[ModelMeta], names: Mapping[str, str], fields: FieldSchemas
) -> dict[str, Schema]:
    """The schemas of the models' records, and of all that their relations lead to, by component."""
    found: dict[str, Schema] = {}
    waiting = list(metas)
    while waiting:
        meta = waiting.pop()
        if names[meta.table] not in found:
            found[names[meta.table]] = _record(meta, names, fields.of(meta))
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


def _record(meta: ModelMeta, names: Mapping[str, str], of_fields: Mapping[str, Schema]) -> Schema:
    properties: dict[str, Schema] = {}
    for field in meta.fields.values():
        if field.private:
            continue
        if isinstance(field, RelationField):
            schema = _relation(field, reference(names[meta.targets[field.name].table]))
        else:
            schema = of_fields[field.name]
        properties[field.name] = schema | notes(field)
        if field.readonly:
            properties[field.name]["readOnly"] = True
    return {"title": meta.name, "type": "object", "properties": properties, "required": ["id"]}


def _relation(field: RelationField, record: Schema) -> Schema:
    """Ids, or what was asked of the records behind them."""
    options = [{"type": "integer"}, record]
    if isinstance(field, ToManyField):
        return {"type": "array", "items": {"anyOf": options}}
    return {"anyOf": [*options, {"type": "null"}] if field.nullable else options}
