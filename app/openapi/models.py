"""Operations of the routes that `app.crud` makes of a model, in the words of a client.

A verb that is added to `app/crud/table.py` gets its operation here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from app.crud.payloads import Condition
from app.crud.query import Search
from app.crud.resource import Resource
from app.crud.writing import Counted
from app.openapi.handwritten import BEARER
from app.openapi.paths import word
from app.openapi.records import Writing
from app.openapi.refusals import BODY, EVERYWHERE, INPUT, SIGNED_IN, refusals
from app.openapi.schemas import Schema, reference

SHARED_TYPES: Final = (Search, Condition, Counted)
"""Types that the operations of every model refer to, by the names of their classes."""

_LARGEST: Final = 2**63 - 1

_DESCRIPTIONS: Final = {
    "filter": 'Conditions that all hold, as JSON: `[["name","ilike","%milk%"]]`.',
    "fields": "Names of fields, with dots through relations; by default every stored field.",
    "order": "Names of fields, with a minus for descending; the id breaks ties.",
    "limit": "Rows of a page.",
    "offset": "Rows to pass over.",
    "after": "The `next` of an earlier page of the same filter and order.",
    "count": "`exact` adds the total of all rows.",
}


class Described(NamedTuple):
    """A model's routes: the resource, the component of its records, the shared ones, and what may be
    written (None: nothing).
    """

    resource: Resource
    record: str
    shared: Mapping[Any, Schema]
    writing: Writing | None


class Operation(NamedTuple):
    """Where an operation stands, and what it is."""

    path: str
    method: str
    schema: Schema


def model_operations(model: Described) -> Iterator[Operation]:
    """The operations of one model."""
    rows, row = model.resource.path, f"{model.resource.path}/{{id}}"
    yield Operation(rows, "GET", _list(model))
    yield Operation(f"{rows}/search", "POST", _search(model))
    yield Operation(row, "GET", _read(model))
    if model.writing is not None:
        yield Operation(rows, "POST", _create(model, model.writing))
        yield Operation(rows, "PATCH", _change_many(model, model.writing))
        yield Operation(f"{rows}/delete", "POST", _delete_many(model))
        yield Operation(row, "PATCH", _change(model, model.writing))
        yield Operation(row, "DELETE", _delete(model))


def page_component(record: str) -> str:
    """The component of a page of those records."""
    return f"{record}Page"


def _list(model: Described) -> Schema:
    fields = (field for field in msgspec.structs.fields(Search) if field.name != "nested")
    parameters = [_parameter(field.name, field.type, field.default) for field in fields]
    page = _success("The page.", reference(page_component(model.record)))
    return _operation(
        model,
        "list",
        "Rows that pass a filter",
        refused=INPUT,
        parameters=parameters,
        responses={"200": page},
    )


def _search(model: Described) -> Schema:
    page = _success("The page.", reference(page_component(model.record)))
    summary = "Rows that pass a filter, asked for by a body"
    return _operation(
        model, "search", summary, refused=BODY, body=model.shared[Search], responses={"200": page}
    )


def _read(model: Described) -> Schema:
    parameters = [_ID, _parameter("fields", list[str] | None)]
    return _operation(
        model,
        "get",
        "One row",
        refused=(*INPUT, "not_found"),
        parameters=parameters,
        responses={"200": _success("The row.", reference(model.record))},
    )


def _create(model: Described, writing: Writing) -> Schema:
    record = reference(model.record)
    many = {
        "type": "object",
        "properties": {"data": {"type": "array", "items": record}},
        "required": ["data"],
    }
    created = _success("The new row, or the new rows in the order given.", {"anyOf": [record, many]})
    created["headers"] = {
        "Location": {"description": "Path of the new row, where one was made.", "schema": {"type": "string"}}
    }
    return _operation(
        model,
        "create",
        "A new row, or several: all of them or none",
        refused=(*BODY, "conflict"),
        body={"anyOf": [writing.creation, writing.creation_list]},
        responses={"201": created},
    )


def _change(model: Described, writing: Writing) -> Schema:
    return _operation(
        model,
        "update",
        "Change what is named of a row",
        refused=(*BODY, "not_found", "conflict"),
        parameters=[_ID],
        body=writing.change,
        responses={"200": _success("The row as it is now.", reference(model.record))},
    )


def _delete(model: Described) -> Schema:
    return _operation(
        model,
        "delete",
        "Delete a row",
        refused=(*INPUT, "not_found", "conflict"),
        parameters=[_ID],
        responses={"204": {"description": "The row is gone."}},
    )


def _change_many(model: Described, writing: Writing) -> Schema:
    return _operation(
        model,
        "update_many",
        "The same change for every row that passes a filter",
        refused=(*BODY, "conflict"),
        body=writing.bulk_change,
        responses={"200": _success("How many rows were changed.", model.shared[Counted])},
    )


def _delete_many(model: Described) -> Schema:
    return _operation(
        model,
        "delete_many",
        "Delete every row that passes a filter",
        refused=(*BODY, "conflict"),
        body=model.shared[Condition],
        responses={"200": _success("How many rows were deleted.", model.shared[Counted])},
    )


def _operation(
    model: Described,
    verb: str,
    summary: str,
    *,
    refused: tuple[str, ...],
    responses: dict[str, Schema],
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
) -> Schema:
    operation: Schema = {
        "operationId": word(f"{verb}_{model.resource.meta.route}"),
        "tags": [model.resource.meta.route],
        "summary": summary,
    }
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    operation["responses"] = responses | refusals((*EVERYWHERE, *SIGNED_IN, *refused))
    operation["security"] = BEARER
    return operation


def _success(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": _json(schema)}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _parameter(name: str, annotation: Any, default: Any = None) -> Schema:
    """A parameter of a query, by the type and the default that a body has in its place."""
    parameter: Schema = {"name": name, "in": "query", "description": _DESCRIPTIONS[name]}
    if name == "filter":
        return parameter | {"content": _json(msgspec.json.schema(annotation))}
    if name in ("fields", "order"):
        names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return parameter | {"style": "form", "explode": False, "schema": names}
    if name == "after":  # absent rather than null
        return parameter | {"schema": {"type": "string"}}
    return parameter | {"schema": msgspec.json.schema(annotation) | {"default": default}}


_ID: Final[Schema] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0, "maximum": _LARGEST},
}
