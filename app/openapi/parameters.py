"""Parameters of requests: those of hand-written routes as they declare them, and those that are the same
wherever they stand, each one component.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from starlette.convertors import Convertor, FloatConvertor, IntegerConvertor, PathConvertor, UUIDConvertor

from app.crud.query import Search
from app.openapi.headers import IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH
from app.openapi.language import FIELD, FILTER, ORDER
from app.openapi.schemas import Schema, reference

LARGEST: Final = 2**63 - 1
"""Of PostgreSQL's bigint: no path parameter is larger."""

_DESCRIPTIONS: Final = {
    "filter": 'Conditions that all hold, as JSON: `[["name","ilike","%milk%"]]`.',
    "fields": "Names of fields, with dots through relations; by default every stored field.",
    "order": "Names of fields, with a minus for descending; the id breaks ties.",
    "limit": "Rows of a page.",
    "offset": "Rows to pass over.",
    "after": "The `next` of an earlier page of the same filter and order.",
    "count": "`exact` adds the total of all rows; `estimated` a guess where counting them would take long.",
}

SEARCH: Final = tuple(_DESCRIPTIONS)
"""The parameters of a search, in the order in which they are told of."""

_TAG: Final = r'(W/)?"[!#-~]*"'
_TAGS: Final[Schema] = {
    "anyOf": [{"const": "*"}, {"type": "string", "pattern": f"^{_TAG}(, {_TAG})*$"}],
    "examples": ['"731-0a1b2c3d4e5f6071"'],
}

_HEADERS: Final = {
    IDEMPOTENCY_KEY: (
        "Chosen anew for each write: sent again with it within 24 hours, the same request is not done again.",
        {"type": "string", "pattern": "^[!-~]{1,255}$", "examples": ["6f1c0a52-7d0e-4c7b-9b1e-2f3a4b5c6d7e"]},
    ),
    IF_MATCH: ("ETags of the row as the client has read it: 412 when it was changed since.", _TAGS),
    IF_NONE_MATCH: (
        "ETags that the client has: where the answer has one of them, it is 304 without a body.",
        {"type": "string"},
    ),
}

ID_PARAMETER: Final[Schema] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0, "maximum": LARGEST},
}
"""The id of a row in the path of a model's route."""

ID: Final[Schema] = {"$ref": "#/components/parameters/id"}
"""The same, as it stands in an operation."""


def path_parameters(convertors: Mapping[str, Convertor[Any]]) -> Iterator[Schema]:
    """The parameters of a path, in its order."""
    for name, convertor in convertors.items():
        match convertor:
            case IntegerConvertor():
                schema: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST}
            case FloatConvertor():
                schema = {"type": "number", "minimum": 0}
            case UUIDConvertor():
                schema = {"type": "string", "format": "uuid"}
            case PathConvertor():
                schema = {"type": "string"}
            case _:
                schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def query_parameters(query_type: type[msgspec.Struct]) -> Iterator[Schema]:
    """The parameters that a Struct of a query string has. What is null in the Struct is absent there."""
    for field in msgspec.structs.fields(query_type):
        schema = _without_null(msgspec.json.schema(field.type))
        parameter: Schema = {"name": field.encode_name, "in": "query"}
        if description := schema.pop("description", None):
            parameter["description"] = description
        if field.required:
            parameter["required"] = True
        elif isinstance(field.default, str | int | float):
            schema["default"] = field.default
        yield parameter | {"schema": schema}


def shared(*names: str) -> list[Schema]:
    """The parameters of those names, as they stand in an operation."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def components() -> dict[str, Schema]:
    """What `shared` refers to, by name."""
    found = {field.name: _searched(field) for field in msgspec.structs.fields(Search) if field.name in SEARCH}
    found["id"] = ID_PARAMETER
    formats = {"type": "string", "enum": ["csv", "jsonl"], "default": "csv"}
    found["format"] = {
        "name": "format",
        "in": "query",
        "description": "What a row becomes.",
        "schema": formats,
    }
    found["rows"] = {
        "name": "limit",
        "in": "query",
        "description": "Rows at most. Without it, more rows than an export may have are refused.",
        "schema": {"type": "integer", "minimum": 1},
    }
    for name, (description, schema) in _HEADERS.items():
        found[name] = {"name": name, "in": "header", "description": description, "schema": schema}
    return found


def _searched(field: msgspec.structs.FieldInfo) -> Schema:
    """A parameter of a search, by the type and the default that a body has in its place."""
    parameter: Schema = {"name": field.name, "in": "query", "description": _DESCRIPTIONS[field.name]}
    if field.name == "filter":
        return parameter | {"content": {"application/json": {"schema": reference(FILTER)}}}
    if field.name in ("fields", "order"):
        return _names(field.name, _DESCRIPTIONS[field.name], FIELD if field.name == "fields" else ORDER)
    if field.name == "after":  # absent rather than null
        return parameter | {"schema": {"type": "string"}}
    return parameter | {"schema": msgspec.json.schema(field.type) | {"default": field.default}}


def _names(name: str, description: str, item: Schema) -> Schema:
    """A list of names, between commas."""
    schema = {"type": "array", "items": item, "minItems": 1}
    parameter: Schema = {"name": name, "in": "query", "description": description}
    return parameter | {"style": "form", "explode": False, "schema": schema}


def _without_null(schema: Schema) -> Schema:
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}
