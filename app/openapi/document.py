"""The document as a whole."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from app.crud.resource import Resource
from app.http.index import Target
from app.openapi.handwritten import WrittenRoute, operations, written_routes
from app.openapi.models import SHARED_TYPES, Described, model_operations, page_component
from app.openapi.paths import Paths
from app.openapi.records import Writing, names_of_records, page_schema, record_schemas
from app.openapi.refusals import components as problem_responses
from app.openapi.schemas import Problem, Schema, described, tables_in
from orm.registry import Registry

_ABOUT: Final = """\
Sign in at `POST /signin` and send `Authorization: Bearer <access_token>` with every request that wants \
somebody signed in. Every error is a problem (RFC 9457) of media type `application/problem+json`. Unknown \
parameters and unknown fields of a body are refused. Times are RFC 3339 in UTC, decimals are strings.

A filter is a list of conditions that all hold. A condition is `[field, operator, value]`, \
`["or", c1, c2]`, `["and", c1, c2]` or `["not", c]`; a field may be a path through relations, as in \
`author_id.name`. The operators are `=` `<` `<=` `>` `>=` `in` `like` `ilike` `between` `contains` (JSON) \
`is null`, and the complements `!=` `not in` `not like` `not ilike` `not between` `is not null`.
"""


class Project(NamedTuple):
    """What a document is made of: hand-written routes, models with an API, all models, a line about each
    module by name.
    """

    title: str
    version: str
    targets: tuple[Target, ...]
    resources: tuple[Resource, ...]
    registry: Registry
    summaries: Mapping[str, str]


def openapi_document(project: Project) -> bytes:
    """The document of a project in JSON. The same project gives the same bytes."""
    written = written_routes(project.targets)
    names, record_components = _records(project, written)
    schemas, components = described(_types(written), names)
    shared: dict[Any, Schema] = dict(zip(SHARED_TYPES, schemas[1:], strict=False))
    bodies_and_answers = schemas[1 + len(SHARED_TYPES) :]
    components = components | record_components

    paths = Paths()
    for index, route in enumerate(written):
        body, answer = bodies_and_answers[2 * index : 2 * index + 2]
        for method, operation in operations(route, body, answer):
            paths.add(route.route.path_format, method, operation)
    for resource in project.resources:
        record = names[resource.meta.table]
        writing = _writing(resource, record)
        components[page_component(record)] = page_schema(record)
        components |= writing.components if writing is not None else {}
        for path, method, operation in model_operations(Described(resource, record, shared, writing)):
            # A hand-written route on the same path is the one that answers.
            if not paths.has(path, method):
                paths.add(path, method, operation)
    return msgspec.json.encode(_document(project, paths.as_dict(), components))


def _document(project: Project, paths: dict[str, dict[str, Schema]], components: dict[str, Schema]) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {"title": project.title, "version": project.version, "description": _ABOUT},
        "tags": _tags(project, paths),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": _used_responses(paths),
            "schemas": dict(sorted(components.items())),
        },
    }


def _types(written: Iterable[WrittenRoute]) -> list[Any]:
    """The problem, the types that models share, then what each route reads and answers."""
    types: list[Any] = [Problem, *SHARED_TYPES]
    for route in written:
        types += (route.body_type, Any if route.answer.type is None else route.answer.type)
    return types


def _records(project: Project, written: list[WrittenRoute]) -> tuple[dict[str, str], dict[str, Schema]]:
    """The names of all models' records, and the schemas of those that any operation speaks of."""
    types = _types(written)
    placeholders = {meta.table: "" for meta in project.registry}
    names = names_of_records(project.registry, described(types, placeholders).components)
    tables = {resource.meta.table for resource in project.resources}
    tables.update(table for annotation in types for table in tables_in(annotation))
    return names, record_schemas([meta for meta in project.registry if meta.table in tables], names)


def _writing(resource: Resource, record: str) -> Writing | None:
    if not resource.is_writable:
        return None
    # The bodies are named after the model: what stands before its name in `record` comes before theirs.
    return Writing(resource.meta, record.removesuffix(resource.meta.name))


def _tags(project: Project, paths: dict[str, dict[str, Schema]]) -> list[Schema]:
    # Not what the docstrings of models say: that is for who works on them.
    about = project.summaries
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    return [
        {"name": tag, "description": about[tag]} if about.get(tag) else {"name": tag} for tag in sorted(used)
    ]


def _used_responses(paths: dict[str, dict[str, Schema]]) -> dict[str, Schema]:
    used = {
        response["$ref"].rpartition("/")[2]
        for item in paths.values()
        for operation in item.values()
        for response in operation["responses"].values()
        if "$ref" in response
    }
    return {code: response for code, response in problem_responses().items() if code in used}
