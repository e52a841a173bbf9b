"""The document as a whole."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from app.crud.aggregating import Aggregation
from app.crud.payloads import Condition
from app.crud.query import Search
from app.openapi.batching import TYPES as BATCH_TYPES
from app.openapi.batching import batch
from app.openapi.fields import FieldSchemas
from app.openapi.handwritten import WrittenRoute, operations, written_routes
from app.openapi.headers import components as headers
from app.openapi.keys import with_key
from app.openapi.language import components as language
from app.openapi.language import told
from app.openapi.models import SHARED_TYPES, model_operations
from app.openapi.operations import Model, Operation
from app.openapi.parameters import components as parameters
from app.openapi.paths import Paths
from app.openapi.project import Project
from app.openapi.reading import page_component
from app.openapi.records import names_of_records, page_schema, record_schemas
from app.openapi.refusals import components as problem_responses
from app.openapi.schemas import Described, Problem, Schema, described, tables_in
from app.openapi.writing import action_types
from app.openapi.writings import Writings
from orm.metadata import ModelMeta

_ABOUT: Final = """\
Sign in at `POST /signin` and send `Authorization: Bearer <access_token>` with every request that wants \
somebody signed in; an API key serves as well. What is sent and answered is JSON, whatever `Accept` says, \
but for pages and exports. Every error is a problem (RFC 9457) of media type `application/problem+json`, \
with JSON pointers to what is wrong. Unknown fields of a body are refused, and unknown parameters wherever \
there are any. Times are RFC 3339 in UTC, decimals are texts.

Every answer has an `X-Request-ID`; a request may bring its own. Where there is a GET there is a HEAD. A \
method that a path has not is 405, OPTIONS too, and `Allow` names those that it has.

A filter is a list of conditions that all hold. A condition is `[field, operator, value]`, \
`["or", c1, c2]`, `["and", c1, c2]` or `["not", c]`; a field may be a path through relations, as in \
`author_id.name`. The operators are `=` `<` `<=` `>` `>=` `in` `like` `ilike` `between` `contains` (JSON) \
`is not null` `allowed` `some`, and the complements `!=` `not in` `not like` `not ilike` `not between` \
`is null` `none`.
"""

_BEARER: Final[Schema] = {
    "type": "http",
    "scheme": "bearer",
    "description": "The `access_token` of POST /signin (a JWT), or an API key.",
}


def openapi_document(project: Project) -> bytes:
    """The document of a project in JSON. The same project gives the same bytes."""
    routes = written_routes(project.targets)
    types = _types(project, routes)
    names = _names(project, types)
    schemas = described(types, names)
    for type_ in (Search, Aggregation, Condition):
        told(schemas.components[type_.__name__]["properties"])
    fields = FieldSchemas(names)
    writings = Writings(names, fields, schemas.components[Condition.__name__])
    models = [Model(one, names[one.meta.table], schemas, writings) for one in project.resources]

    paths = Paths()
    for path, method, operation in _operations(routes, schemas, models):
        # A hand-written route on the same path comes first, and is the one that answers.
        if not paths.has(path, method):
            paths.add(path, method, with_key(operation, path, method, project.keyed))
    components = {
        **schemas.components,
        **language(),
        **record_schemas(_spoken_of(project, types), names, fields),
        **{page_component(model.record): page_schema(model.record) for model in models},
        **writings.components(),
        **fields.components,
    }
    return msgspec.json.encode(_document(project, paths.as_dict(), components))


def _operations(
    routes: Iterable[WrittenRoute], schemas: Described, models: Iterable[Model]
) -> Iterator[Operation]:
    for route in routes:
        for method, operation in operations(route, schemas):
            yield Operation(route.route.path_format, method, operation)
    yield batch(schemas)
    for model in models:
        yield from model_operations(model)


def _document(project: Project, paths: dict[str, dict[str, Schema]], components: dict[str, Schema]) -> Schema:
    told = msgspec.json.encode(paths).decode()
    return {
        "openapi": "3.1.0",
        "info": {"title": project.title, "version": project.version, "description": _ABOUT},
        "tags": _tags(project, paths),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": _BEARER},
            "parameters": _used("parameters", parameters(), told),
            "headers": headers(),
            "responses": _used("responses", problem_responses(), told),
            "schemas": dict(sorted(components.items())),
        },
    }


def _types(project: Project, routes: Iterable[WrittenRoute]) -> list[Any]:
    """All that operations read and answer: what models share, hand-written routes, actions."""
    written = [type_ for route in routes for type_ in route.types]
    acted = [type_ for resource in project.resources for type_ in action_types(resource)]
    return [Problem, *BATCH_TYPES, *SHARED_TYPES, *written, *acted]


def _names(project: Project, types: Sequence[Any]) -> dict[str, str]:
    """The component of each model's records, by table: none has the name of one of `types`."""
    placeholders = {meta.table: "" for meta in project.registry}
    taken = (*described(types, placeholders).components, *language())
    return names_of_records(project.registry, taken)


def _spoken_of(project: Project, types: Sequence[Any]) -> list[ModelMeta]:
    """The models that any operation reads or answers."""
    tables = {resource.meta.table for resource in project.resources}
    tables.update(table for annotation in types for table in tables_in(annotation))
    return [meta for meta in project.registry if meta.table in tables]


def _tags(project: Project, paths: dict[str, dict[str, Schema]]) -> list[Schema]:
    # Not what the docstrings of models say: that is for who works on them.
    about = project.summaries
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    return [
        {"name": tag, "description": about[tag]} if about.get(tag) else {"name": tag} for tag in sorted(used)
    ]


def _used(kind: str, components: dict[str, Schema], told: str) -> dict[str, Schema]:
    """Those of the components of a kind that a text refers to."""
    found = set(re.findall(rf'"#/components/{kind}/([^"]+)"', told))
    return {name: component for name, component in components.items() if name in found}
