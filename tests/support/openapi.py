"""The rules of OpenAPI 3.1 that a generated document could break, checked by hand.

A validator from outside brings some twenty distributions, pydantic among them; these rules are what it would
look at here.
"""

import re
from collections.abc import Iterator
from typing import Any

METHODS = frozenset({"get", "put", "post", "patch", "delete", "head", "options", "trace"})

_PARAMETER = re.compile(r"\{([^}]*)\}")
_COMPONENT = re.compile(r"[A-Za-z0-9._-]+")
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Path, method and operation of every operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(document: Any, node: Any) -> Any:
    """A part of the document, or what it refers to."""
    while "$ref" in node:
        node = _target(node["$ref"], document)
    return node


def parameters(document: Any, operation: Any) -> list[Any]:
    """The parameters of an operation."""
    return [resolved(document, parameter) for parameter in operation.get("parameters", ())]


def faults(document: Any) -> list[str]:
    """What is wrong with a document, in sentences; nothing for a valid one."""
    return [*_top(document), *_references(document), *_paths(document), *_operations(document)]


def _top(document: Any) -> Iterator[str]:
    if not re.fullmatch(r"3\.1\.\d+", document["openapi"]):
        yield f"openapi is {document['openapi']}"
    if not (document["info"]["title"] and document["info"]["version"]):
        yield "info has no title or version"
    for kind, components in document["components"].items():
        yield from (f"{kind}/{name} is no name" for name in components if not _COMPONENT.fullmatch(name))
    tags = [tag["name"] for tag in document["tags"]]
    if len(set(tags)) < len(tags):
        yield "a tag stands twice"
    for path, method, operation in operations(document):
        yield from (
            f"{method} {path}: tag {tag} is not told of" for tag in operation["tags"] if tag not in tags
        )


def _references(node: Any, document: Any = None, place: str = "#") -> Iterator[str]:
    document = node if document is None else document
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str) and not _leads_somewhere(reference, document):
            yield f"{place}: {reference} leads nowhere"
        if isinstance(kind := node.get("type"), str) and "/schema" in place and kind not in _TYPES:
            yield f"{place}: {kind} is no type"
        for name, child in node.items():
            yield from _references(child, document, f"{place}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _references(child, document, f"{place}/{index}")


def _leads_somewhere(reference: str, document: Any) -> bool:
    return reference.startswith("#/") and _target(reference, document) is not None


def _target(reference: str, document: Any) -> Any:
    node = document
    for step in reference.removeprefix("#/").split("/"):
        if step not in node:
            return None
        node = node[step]
    return node


def _paths(document: Any) -> Iterator[str]:
    shapes: dict[tuple[str, str], str] = {}
    for path, method, _ in operations(document):
        if not path.startswith("/") or method not in METHODS:
            yield f"{method} {path} is no operation"
        other = shapes.setdefault((_PARAMETER.sub("{}", path), method), path)
        if other != path:
            yield f"{method} {path} and {other} are one path"


def _operations(document: Any) -> Iterator[str]:
    ids: set[str] = set()
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        if operation["operationId"] in ids:
            yield f"{where}: {operation['operationId']} is taken"
        ids.add(operation["operationId"])
        declared = [one for one in parameters(document, operation) if one is not None]
        given = [(parameter["in"], parameter["name"]) for parameter in declared]
        if len(set(given)) < len(given):
            yield f"{where}: a parameter stands twice"
        if {name for place, name in given if place == "path"} != set(_PARAMETER.findall(path)):
            yield f"{where}: declares {given}"
        for parameter in declared:
            if parameter["in"] == "path" and parameter.get("required") is not True:
                yield f"{where}: {parameter['name']} is not required"
            if ("schema" in parameter) == ("content" in parameter):
                yield f"{where}: {parameter['name']} has not exactly one of schema and content"
        if not operation["responses"]:
            yield f"{where}: has no responses"
        for status, response in operation["responses"].items():
            if not re.fullmatch(r"[1-5]\d\d", status) or not (
                "description" in response or "$ref" in response
            ):
                yield f"{where}: response {status} is none"
        for requirement in operation.get("security", ()):
            yield from (
                f"{where}: scheme {name} is not told of"
                for name in requirement
                if name not in document["components"]["securitySchemes"]
            )
