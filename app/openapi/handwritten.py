"""Operations of hand-written routes.

Left out are sockets, mounted applications, which OpenAPI has no words for, and routes that say
`include_in_schema=False`. Of what a handler answers the return annotation is told, where it is data: a bare
`Reply` or `Response` may be anything.
"""

import types
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Union, get_args, get_origin

from starlette.convertors import FloatConvertor, IntegerConvertor, PathConvertor, UUIDConvertor
from starlette.responses import Response
from starlette.routing import Route

from app.http.index import Target
from app.http.replies import Reply
from app.http.routing import HttpRoute
from app.openapi.paths import word
from app.openapi.refusals import BODY, EVERYWHERE, INPUT, SIGNED_IN, refusals
from app.openapi.schemas import Schema, is_describable

BEARER: Final[list[dict[str, list[str]]]] = [{"bearer": []}]

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LARGEST: Final = 2**63 - 1


class Answer(NamedTuple):
    """What a route answers with success. `type` is Any where that is not known, and `media_type` None where
    there is no body to speak of; `may_be_empty` is a 204.
    """

    type: Any
    media_type: str | None
    may_be_empty: bool


class WrittenRoute(NamedTuple):
    """A route that belongs into the document, with the types that it reads and answers."""

    target: Target
    route: Route
    body_type: Any
    answer: Answer


def written_routes(targets: Iterable[Target]) -> list[WrittenRoute]:
    """The routes among `targets` that belong into the document, in their order."""
    found = []
    for target in targets:
        route = target.route
        if not isinstance(route, Route) or not route.include_in_schema:
            continue
        if isinstance(route, HttpRoute):
            body_type = Any if route.body_type is None else route.body_type
            found.append(WrittenRoute(target, route, body_type, _answer(route)))
        else:
            found.append(WrittenRoute(target, route, Any, Answer(Any, None, False)))
    return found


def operations(written: WrittenRoute, body: Schema, answer: Schema) -> Iterable[tuple[str, Schema]]:
    """The operations of a route by method, HEAD left to GET; `body` and `answer` are schemas of its types."""
    methods = sorted(written.route.methods or {"GET"})
    for method in methods:
        if method == "HEAD" and "GET" in methods:
            continue
        yield method, _operation(written, method, body, answer)


def _operation(written: WrittenRoute, method: str, body: Schema, answer: Schema) -> Schema:
    target, route = written.target, written.route
    reads_body = isinstance(route, HttpRoute) and route.body_type is not None
    operation: Schema = {
        "operationId": word(f"{target.module}_{route.name}"),
        "tags": list(getattr(route, "tags", ())) or [target.module],
    }
    for name in ("summary", "description"):
        if text := getattr(route, name, ""):
            operation[name] = text
    parameters = [_parameter(name, convertor) for name, convertor in route.param_convertors.items()]
    if parameters:
        operation["parameters"] = parameters
    if reads_body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    operation["responses"] = _successes(written, answer) | refusals(
        _refused(method, is_private=target.is_private, has_path=bool(parameters), reads_body=reads_body)
    )
    if target.is_private:
        operation["security"] = BEARER
    return operation


def _successes(written: WrittenRoute, schema: Schema) -> dict[str, Schema]:
    answer = written.answer
    successes: dict[str, Schema] = {}
    if answer.type is not None:
        status = str(getattr(written.route, "status", 200))
        successes[status] = {"description": "Done."}
        if answer.media_type is not None:
            successes[status]["content"] = {answer.media_type: {"schema": schema}}
    if answer.may_be_empty:
        successes["204"] = {"description": "Done; there is nothing to tell."}
    return successes


def _refused(method: str, *, is_private: bool, has_path: bool, reads_body: bool) -> Iterable[str]:
    yield from EVERYWHERE
    yield from INPUT  # of the query, where there is no body
    if is_private:
        yield from SIGNED_IN
    if has_path or reads_body:
        yield "not_found"
    if method in _CHANGING:
        yield "conflict"
    if reads_body:
        yield from BODY
        if not is_private:
            # Who is not signed in and sends something is about to be: that can fail, and be tried too often.
            yield from ("unauthenticated", "too_many_requests")


def _answer(route: HttpRoute) -> Answer:
    try:
        annotation = route.returns
    except NameError:  # an annotation that only type checkers can resolve
        annotation = Any
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        may_be_empty = len(options) < len(get_args(annotation))
        annotation = Union[tuple(options)]  # noqa: UP007 - the options are values here
    else:
        may_be_empty = annotation is type(None)
    if annotation is type(None):
        return Answer(None, None, may_be_empty=True)
    if isinstance(annotation, type) and issubclass(annotation, Response):
        return Answer(Any, annotation.media_type, may_be_empty)
    is_told = annotation is not Reply and is_describable(annotation)
    return Answer(annotation if is_told else Any, "application/json", may_be_empty)


def _parameter(name: str, convertor: object) -> Schema:
    match convertor:
        case IntegerConvertor():
            schema: Schema = {"type": "integer", "minimum": 0, "maximum": _LARGEST}
        case FloatConvertor():
            schema = {"type": "number", "minimum": 0}
        case UUIDConvertor():
            schema = {"type": "string", "format": "uuid"}
        case PathConvertor():
            schema = {"type": "string"}
        case _:
            schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}
