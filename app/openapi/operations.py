"""What the operations of all models have in common: where they stand, who may ask, how they are refused."""

from typing import Final, NamedTuple

from app.crud.relations import wants_if_match
from app.crud.resource import Resource
from app.openapi.handwritten import BEARER
from app.openapi.headers import headers
from app.openapi.paths import word
from app.openapi.refusals import EVERYWHERE, SIGNED_IN, refusals
from app.openapi.schemas import Described, Schema
from app.openapi.writings import Writings
from orm.metadata import ModelMeta

JSON: Final = "application/json"


class Model(NamedTuple):
    """A model with an API: the component of its records, the schemas of types, and those of bodies."""

    resource: Resource
    record: str
    types: Described
    writings: Writings

    @property
    def meta(self) -> ModelMeta:
        """What the model is."""
        return self.resource.meta

    @property
    def rows(self) -> str:
        """The path of all rows."""
        return self.resource.path

    @property
    def row(self) -> str:
        """The path of one row."""
        return f"{self.resource.path}/{{id}}"


class Operation(NamedTuple):
    """Where an operation stands, and what it is."""

    path: str
    method: str
    schema: Schema


def operation(
    model: Model,
    verb: str,
    summary: str,
    *,
    refused: tuple[str, ...],
    responses: dict[str, Schema],
    description: str = "",
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
) -> Schema:
    """The operation `verb` of a model; `refused` are machine codes beside those that any request may meet."""
    found: Schema = {
        "operationId": word(f"{verb}_{model.meta.route}"),
        "tags": [model.meta.route],
        "summary": summary,
    }
    if description:
        found["description"] = description
    if parameters:
        found["parameters"] = parameters
    if body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    found["responses"] = responses | refusals((*EVERYWHERE, *SIGNED_IN, *refused))
    found["security"] = BEARER
    return found


def success(description: str, schema: Schema, *names: str) -> Schema:
    """An answer in JSON, with headers of these names."""
    return {"description": description, "headers": headers(*names), "content": {JSON: {"schema": schema}}}


def on_version(meta: ModelMeta) -> tuple[str, ...]:
    """How a write of one row is refused for the version that it names, or should name."""
    return ("precondition_failed", *blindly(meta))


def blindly(meta: ModelMeta) -> tuple[str, ...]:
    """How a write that cannot name a version is refused where the model wants one."""
    return ("precondition_required",) if wants_if_match(meta) else ()
