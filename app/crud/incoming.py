"""What comes in with a request, read without Starlette's Request: the id in the path, the body, no query."""

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from app.core.errors import Malformed, UnsupportedMediaType
from app.http.bodies import is_json
from orm.errors import Invalid, Place, Problem

_LARGEST_ID: Final = 2**63 - 1  # of PostgreSQL's bigint
_LARGEST_ID_DIGITS: Final = len(str(_LARGEST_ID))

_JSON: Final = b"application/json"


def row_id(segment: str) -> int | None:
    """The id that a segment of a path names; None for what no row can have as its id."""
    if len(segment) > _LARGEST_ID_DIGITS or not (segment.isascii() and segment.isdigit()):
        return None
    number = int(segment)
    return number if number <= _LARGEST_ID else None


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, which is declared to be JSON.

    Raises Malformed when there is none, UnsupportedMediaType when it is declared to be something else, and
    ClientDisconnect when its end never came.
    """
    message = await receive()
    text = _part(message)
    if message.get("more_body"):
        parts = [text]
        while message.get("more_body"):
            message = await receive()
            parts.append(_part(message))
        text = b"".join(parts)
    if not text:
        raise Malformed("This route reads a JSON body, and there is none.")
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value == _JSON or is_json(value):
                return text
            break
    raise UnsupportedMediaType("This route reads JSON: send Content-Type: application/json, in UTF-8.")


def header_in(scope: Scope, wanted: bytes) -> bytes | None:
    """The value of a header, one that comes more than once joined by commas; None where it is not there.

    `wanted` is in lower case.
    """
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == wanted:
            found = value if found is None else found + b"," + value
    return found


def refuse_query(scope: Scope) -> None:
    """Raise Invalid when a route that takes no parameters is given some, which would go unnoticed."""
    if scope["query_string"]:
        raise Invalid(
            "This route takes no query parameters.",
            errors=(Place("/query", "unknown", "This route takes no query parameters."),),
        )


def move_below(problem: Problem, prefix: str) -> None:
    """Make the places of `problem` begin with `prefix`: what they point into is a part of a larger input."""
    problem.errors = tuple(
        Place(prefix + place.pointer, place.code, place.message) for place in problem.errors
    )


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    part: bytes = message.get("body", b"")
    return part
