"""Operations that write rows of a model, its own actions included."""

from collections.abc import Iterator
from typing import Final

from app.crud.actions import Action
from app.crud.payloads import Condition
from app.crud.relations import commands_of
from app.crud.resource import Resource
from app.crud.writing import Counted
from app.openapi.answers import Answer, answers_of, responses_of
from app.openapi.headers import ETAG, IF_MATCH, LOCATION, headers
from app.openapi.operations import Model, Operation, blindly, on_version, operation, success
from app.openapi.parameters import shared
from app.openapi.refusals import BODY, INPUT
from app.openapi.schemas import Schema, reference
from orm.metadata import ModelMeta

TYPES: Final = (Condition, Counted)
"""Types that these operations refer to."""


def action_types(resource: Resource) -> Iterator[object]:
    """The types that the actions of a model read and answer."""
    for action in resource.actions.values():
        if action.body is not None:
            yield action.body.body_type
        yield from (answer.type for answer in _answers(action))


def writing(model: Model) -> Iterator[Operation]:
    """The operations of one model that may be written here."""
    yield Operation(model.rows, "POST", _create(model))
    yield Operation(model.rows, "PATCH", _change_many(model))
    yield Operation(f"{model.rows}/delete", "POST", _delete_many(model))
    yield Operation(model.row, "PATCH", _change(model))
    yield Operation(model.row, "DELETE", _delete(model))


def acting(model: Model) -> Iterator[Operation]:
    """The operations that a model brings with it."""
    for name, action in model.resource.actions.items():
        yield Operation(f"{model.row}/{name}", "POST", _act(model, action))


def _create(model: Model) -> Schema:
    writings, meta = model.writings, model.meta
    rows = {"type": "array", "items": reference(model.record)}
    many: Schema = {"type": "object", "properties": {"data": rows}, "required": ["data"]}
    either = {"anyOf": [reference(model.record), many]}
    made = success("The new row, or the new rows in the order given.", either, LOCATION, ETAG)
    told = {**many["properties"], "created": {"type": "array", "items": {"type": "integer"}}}
    written = {"type": "object", "properties": told, "required": [*told]}
    upserted = success(
        "With `on`: the row, which was there, or the rows in the order given and the ids of the new ones.",
        {"anyOf": [reference(model.record), written]},
    )
    on = [",".join(names) for names in meta.uniques if meta.private.isdisjoint(names)]
    return operation(
        model,
        "create",
        "A new row, or several: all of them or none",
        refused=(*BODY, "conflict", *blindly(meta), *_about_others(meta)),
        parameters=[_on(on)] if on else None,
        body={"anyOf": [writings.creation(meta), writings.creations(meta)]},
        responses={"200": upserted, "201": made} if on else {"201": made},
    )


def _about_others(meta: ModelMeta) -> tuple[str, ...]:
    """How a body is refused that names rows of a relation which are not there."""
    return ("not_found",) if any(commands_of(meta, name) for name in meta.to_many) else ()


def _on(groups: list[str]) -> Schema:
    about = "Fields that are unique together: a row that has the same values in them is changed instead."
    return {"name": "on", "in": "query", "description": about, "schema": {"type": "string", "enum": groups}}


def _change(model: Model) -> Schema:
    return operation(
        model,
        "update",
        "Change what is named of a row",
        refused=(*BODY, "not_found", "conflict", *on_version(model.meta)),
        parameters=shared("id", IF_MATCH),
        body=model.writings.change(model.meta),
        responses={"200": success("The row as it is now.", reference(model.record), ETAG)},
    )


def _delete(model: Model) -> Schema:
    return operation(
        model,
        "delete",
        "Delete a row",
        refused=(*INPUT, "not_found", "conflict", *on_version(model.meta)),
        parameters=shared("id", IF_MATCH),
        responses={"204": {"description": "The row is gone.", "headers": headers()}},
    )


def _change_many(model: Model) -> Schema:
    return operation(
        model,
        "update_many",
        "The same change for every row that passes a filter",
        refused=(*BODY, "conflict", *blindly(model.meta)),
        body=model.writings.bulk_change(model.meta),
        responses={"200": success("How many rows were changed.", model.types.of(Counted))},
    )


def _delete_many(model: Model) -> Schema:
    return operation(
        model,
        "delete_many",
        "Delete every row that passes a filter",
        refused=(*BODY, "conflict", *blindly(model.meta)),
        body=model.types.of(Condition),
        responses={"200": success("How many rows were deleted.", model.types.of(Counted))},
    )


def _act(model: Model, action: Action) -> Schema:
    is_write = action.needs != "read"
    refused = BODY if action.body is not None else INPUT
    return operation(
        model,
        f"{action.name}_in",
        action.summary,
        description=action.description,
        refused=(*refused, "not_found", "conflict", *(on_version(model.meta) if is_write else ())),
        parameters=shared("id", *([IF_MATCH] if is_write else ())),
        body=None if action.body is None else model.types.of(action.body.body_type),
        responses=responses_of(_answers(action), model.types),
    )


def _answers(action: Action) -> tuple[Answer, ...]:
    return answers_of(lambda: action.returns, action.status)
