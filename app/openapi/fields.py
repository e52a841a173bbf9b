"""Schemas of the values of fields, made once for each model: records and all kinds of bodies share them."""

from collections.abc import Mapping
from typing import Any, Final, Optional

import msgspec

from app.openapi.schemas import REF, Schema
from orm.fields.base import Field
from orm.metadata import ModelMeta

_ANYTHING: Final[Schema] = {"type": ["array", "boolean", "number", "object", "string"]}  # but no null
_NUMBER_TOO: Final[Schema] = {"type": "number"}


class FieldSchemas:
    """What the fields of models take and give, null included where they may be null.

    `records` has the component of each model's records, by table: the components of Structs that fields have
    as values are named after it.
    """

    def __init__(self, records: Mapping[str, str]) -> None:
        self._records = records
        self._known: dict[str, dict[str, Schema]] = {}
        self.components: dict[str, Schema] = {}

    def of(self, meta: ModelMeta) -> Mapping[str, Schema]:
        """By name, the schemas of a model's fields, but of private ones and of relations to many."""
        known = self._known.get(meta.table)
        if known is None:
            fields = [
                field for name, field in meta.fields.items() if name not in meta.to_many and not field.private
            ]
            prefix = f"{self._records[meta.table]}."
            schemas, components = msgspec.json.schema_components(
                [_type(field) for field in fields], ref_template=REF.format(name=prefix + "{name}")
            )
            self.components |= {prefix + name: component for name, component in components.items()}
            known = {
                field.name: schema or ({} if field.nullable else dict(_ANYTHING))
                for field, schema in zip(fields, schemas, strict=True)
            }
            self._known[meta.table] = known
        return known


def written(schema: Schema) -> Schema:
    """The schema of a value that is written rather than answered: a decimal may come as a number, too."""
    options = schema.get("anyOf", [schema])
    if not any(option.get("format") == "decimal" for option in options):
        return schema
    return {"anyOf": [options[0], _NUMBER_TOO, *options[1:]]}


def notes(field: Field, *, with_default: bool = False) -> Schema:
    """What is said of a field beside its type."""
    found: Schema = {"description": field.description} if field.description else {}
    if with_default and field.has_literal_default:
        found["default"] = msgspec.to_builtins(field.default, builtin_types=())
    return found


def _type(field: Field) -> Any:
    accepted: Any = field.annotation()
    return Optional[accepted] if field.nullable else accepted  # noqa: UP045 - `|` is not for every annotation
