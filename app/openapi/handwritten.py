"""Operations of hand-written routes.

Left out are sockets, mounted applications, which OpenAPI has no words for, and routes that say
`include_in_schema=False`.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from starlette.routing import Route

from app.http.index import Target
from app.http.routing import HttpRoute
from app.openapi.answers import Answer, answers_of, is_refusal, responses_of
from app.openapi.headers import IF_MATCH, IF_NONE_MATCH
from app.openapi.parameters import path_parameters, query_parameters, shared
from app.openapi.paths import word
from app.openapi.refusals import BODY, EVERYWHERE, INPUT, SIGNED_IN, codes_of, refusals
from app.openapi.schemas import Described, Schema

BEARER: Final[list[dict[str, list[str]]]] = [{"bearer": []}]

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class WrittenRoute(NamedTuple):
    """A route that belongs into the document, and what it answers with success."""

    target: Target
    route: Route
    answers: tuple[Answer, ...]

    @property
    def body_type(self) -> Any:
        """The type of the body that is read, None where none is."""
        return getattr(self.route, "body_type", None)

    @property
    def query_type(self) -> Any:
        """The Struct of the query string, None where none is declared."""
        return getattr(self.route, "query_type", None)

    @property
    def refused(self) -> list[str]:
        """The machine codes of problems that the route declares itself."""
        declared: Mapping[int, Any] = getattr(self.route, "responses", {})
        return codes_of(status for status, type_ in declared.items() if is_refusal(status, type_))

    @property
    def types(self) -> Iterator[Any]:
        """All types whose schemas the route's operation needs."""
        if self.body_type is not None:
            yield self.body_type
        yield from (answer.type for answer in self.answers)


def written_routes(targets: Iterable[Target]) -> list[WrittenRoute]:
    """The routes among `targets` that belong into the document, in their order."""
    found = []
    for target in targets:
        route = target.route
        if isinstance(route, Route) and route.include_in_schema:
            # Of a route that is not ours nothing more is known than that it answers.
            answers: tuple[Answer, ...] = (Answer(200, Any, None),)
            if isinstance(route, HttpRoute):
                answers = answers_of(partial(_returns, route), route.status, route.responses)
            found.append(WrittenRoute(target, route, answers))
    return found


def _returns(route: HttpRoute) -> Any:
    return route.returns


def operations(written: WrittenRoute, schemas: Described) -> Iterable[tuple[str, Schema]]:
    """The operations of a route by method, HEAD left to GET."""
    methods = sorted(written.route.methods or {"GET"})
    for method in methods:
        if method != "HEAD" or "GET" not in methods:
            yield method, _operation(written, method, schemas)


def _operation(written: WrittenRoute, method: str, schemas: Described) -> Schema:
    target, route, body = written.target, written.route, written.body_type
    operation: Schema = {
        "operationId": word(f"{target.module}_{route.name}"),
        "tags": list(getattr(route, "tags", ())) or [target.module],
    }
    operation |= _words(written)
    parameters = list(_parameters(written))
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        content = {"application/json": {"schema": schemas.of(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    # What a route declares for a status holds, also where a problem would be usual.
    responses = refusals(_refused(written, method)) | responses_of(written.answers, schemas)
    operation["responses"] = dict(sorted(responses.items()))
    if target.is_private:
        operation["security"] = BEARER
    elif "unauthenticated" in written.refused:
        operation["security"] = [*BEARER, {}]  # it looks by itself at who asks
    return operation


def _words(written: WrittenRoute) -> Schema:
    """Summary and description; what is said of the parameters as a whole comes last."""
    route, query_type = written.route, written.query_type
    about_query = inspect.getdoc(query_type) if query_type is not None and query_type.__doc__ else None
    paragraphs = [text for text in (getattr(route, "description", ""), about_query) if text]
    words = {"summary": getattr(route, "summary", ""), "description": "\n\n".join(paragraphs)}
    return {name: text for name, text in words.items() if text}


def _parameters(written: WrittenRoute) -> Iterator[Schema]:
    yield from path_parameters(written.route.param_convertors)
    if written.query_type is not None:
        yield from query_parameters(written.query_type)
    if any(answer.status == 304 for answer in written.answers):
        yield from shared(IF_NONE_MATCH)
    if "precondition_failed" in written.refused:
        yield from shared(IF_MATCH)


def _refused(written: WrittenRoute, method: str) -> Iterator[str]:
    """The machine codes of all problems that the route may answer with."""
    is_private, reads_body = written.target.is_private, written.body_type is not None
    yield from written.refused
    yield from EVERYWHERE
    yield from INPUT  # of the query, where there is no body
    if is_private:
        yield from SIGNED_IN
    if reads_body or written.query_type is not None or written.route.param_convertors:
        yield "not_found"
    if method in _CHANGING:
        yield "conflict"
    if reads_body:
        yield from BODY
        if not is_private:
            # Who is not signed in and sends something is about to be: that can fail, and be tried too often.
            yield from ("unauthenticated", "too_many_requests")
