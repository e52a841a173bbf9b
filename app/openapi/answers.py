"""What a handler answers with success: its return annotation, and what is declared besides."""

import types
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin

from starlette.responses import Response

from app.http.replies import Reply
from app.http.routing import Content
from app.openapi.headers import ETAG, LOCATION, headers
from app.openapi.schemas import Described, Schema, is_describable

_JSON: Final = "application/json"
_NO_BODY: Final = frozenset({204, 304})
_WORDS: Final = {
    200: "Done.",
    201: "Made.",
    204: "Done; there is nothing to tell.",
    304: "What the client has is still right.",
}


class Answer(NamedTuple):
    """One answer. `type` is Any where it is not known; `media_type` is None where no body is told of."""

    status: int
    type: Any
    media_type: str | None


def answers_of(
    returns: Callable[[], Any], status: int, declared: Mapping[int, Any] = MappingProxyType({})
) -> tuple[Answer, ...]:
    """The answers of a handler by rising status, one for each.

    `returns` gives its return annotation: a None in it is 204, the rest has `status`; of `Reply[T]` it is T,
    a starlette Response and what is no data may be anything. `declared` says it for further statuses, and for
    `status` where it names that.
    """
    found = {answer.status: answer for answer in _returned(returns, status)}
    for other, type_ in declared.items():
        if not is_refusal(other, type_):
            found[other] = _declared(other, type_)
    return tuple(found[one] for one in sorted(found))


def is_refusal(status: int, declared: Any) -> bool:
    """Whether what a route declares for a status is the usual problem: 400 and more, without a type."""
    return status >= 400 and declared is None


def responses_of(answers: tuple[Answer, ...], schemas: Described) -> dict[str, Schema]:
    """Those answers as responses of an operation."""
    is_validated = any(answer.status == 304 for answer in answers)
    found = {}
    for answer in answers:
        names = [LOCATION] if answer.status == 201 else []
        if is_validated and answer.status in (200, 304):
            names.append(ETAG)
        response: Schema = {
            "description": _WORDS.get(answer.status, f"{HTTPStatus(answer.status).phrase}."),
            "headers": headers(*names),
        }
        if answer.media_type is not None:
            response["content"] = {answer.media_type: {"schema": schemas.of(answer.type)}}
        found[str(answer.status)] = response
    return found


def _returned(returns: Callable[[], Any], status: int) -> Iterator[Answer]:
    try:
        annotation = returns()
    except NameError:  # an annotation that only type checkers can resolve
        annotation = Any
    is_union = get_origin(annotation) in (Union, types.UnionType)
    options = [_body(option) for option in (get_args(annotation) if is_union else (annotation,))]
    bodies = [option for option in options if option is not type(None)]
    if len(bodies) < len(options):
        yield Answer(204, Any, None)
    if len(bodies) == 1 and isinstance(bodies[0], type) and issubclass(bodies[0], Response):
        yield Answer(status, Any, bodies[0].media_type)
    elif bodies:
        whole: Any = Union[tuple(bodies)]  # noqa: UP007 - the options are values here
        yield Answer(status, whole if is_describable(whole) else Any, _JSON)


def _body(annotation: Any) -> Any:
    """What travels: the T of a Reply[T]."""
    if annotation is Reply:
        return Any
    return get_args(annotation)[0] if get_origin(annotation) is Reply else annotation


def _declared(status: int, declared: Any) -> Answer:
    if declared is None or status in _NO_BODY:
        return Answer(status, Any, None)
    if isinstance(declared, Content):
        return Answer(status, declared.type, declared.media_type)
    return Answer(status, declared, _JSON)
