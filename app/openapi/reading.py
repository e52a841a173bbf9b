"""Operations that read rows of a model, or what the model is."""

from collections.abc import Iterator
from typing import Final

from app.crud.aggregating import Aggregation, Figures
from app.crud.describing import ModelDescription
from app.crud.query import Search
from app.openapi.headers import DISPOSITION, ETAG, IF_NONE_MATCH, LINK, headers
from app.openapi.operations import Model, Operation, operation, success
from app.openapi.parameters import SEARCH, shared
from app.openapi.refusals import BODY, INPUT
from app.openapi.schemas import Schema, reference

TYPES: Final = (Search, Aggregation, Figures, ModelDescription)
"""Types that these operations refer to."""


def page_component(record: str) -> str:
    """The component of a page of those records."""
    return f"{record}Page"


def reading(model: Model) -> Iterator[Operation]:
    """The operations of one model."""
    yield Operation(model.rows, "GET", _list(model))
    yield Operation(f"{model.rows}/search", "POST", _search(model))
    yield Operation(model.row, "GET", _read(model))
    yield Operation(f"{model.rows}/aggregate", "POST", _aggregate(model))
    yield Operation(f"{model.rows}/export", "GET", _export(model))
    yield Operation(f"{model.rows}/fields", "GET", _fields(model))
    yield Operation(f"{model.rows}/defaults", "GET", _defaults(model))


def _list(model: Model) -> Schema:
    return operation(
        model,
        "list",
        "Rows that pass a filter",
        refused=INPUT,
        parameters=shared(*SEARCH),
        responses={"200": _page(model)},
    )


def _search(model: Model) -> Schema:
    return operation(
        model,
        "search",
        "Rows that pass a filter, asked for by a body",
        refused=BODY,
        body=model.types.of(Search),
        responses={"200": _page(model)},
    )


def _read(model: Model) -> Schema:
    return operation(
        model,
        "get",
        "One row",
        refused=(*INPUT, "not_found"),
        parameters=shared("id", "fields", IF_NONE_MATCH),
        responses={
            "200": success("The row.", reference(model.record), ETAG),
            "304": {"description": "The client has it as it is.", "headers": headers(ETAG)},
        },
    )


def _aggregate(model: Model) -> Schema:
    return operation(
        model,
        "aggregate",
        "Figures over the rows that pass a filter, in groups",
        refused=BODY,
        body=model.types.of(Aggregation),
        responses={"200": success("The groups.", model.types.of(Figures))},
    )


def _export(model: Model) -> Schema:
    rows: Schema = {"type": "string"}
    done = {
        "description": "The rows, of one moment: a header and a line each, or an object a line.",
        "headers": headers(DISPOSITION),
        "content": {"text/csv": {"schema": rows}, "application/jsonl": {"schema": rows}},
    }
    return operation(
        model,
        "export",
        "All rows that pass a filter, as a file",
        description="An export that cannot be finished ends without its last chunk.",
        refused=(*INPUT, "too_many_requests"),
        parameters=shared("format", "filter", "fields", "order", "rows"),
        responses={"200": done},
    )


def _fields(model: Model) -> Schema:
    return operation(
        model,
        "describe",
        "The fields, their limits, and the asker's rights",
        refused=INPUT,
        responses={"200": success("What a program needs for a form.", model.types.of(ModelDescription))},
    )


def _defaults(model: Model) -> Schema:
    return operation(
        model,
        "defaults_of",
        "What a new row has in fields that are not named",
        refused=INPUT,
        responses={"200": success("Values by field.", {"type": "object"})},
    )


def _page(model: Model) -> Schema:
    return success("The page.", reference(page_component(model.record)), LINK)
