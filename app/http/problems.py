"""Errors as a client sees them: the one table from machine code to status, and the one JSON shape (RFC 9457).

The shape is the same over HTTP and in WebSocket error frames. An exception that is not one of ours shows as
`internal` with one dull sentence; whoever catches it logs it in full.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
from starlette.exceptions import HTTPException

from app.core.errors import MethodNotAllowed
from app.http import json
from orm.errors import Place, Problem

CONTENT_TYPE: Final = b"application/problem+json"

DULL_SENTENCE: Final = "Something went wrong on our side. It was logged under the id in `instance`."


class Kind(NamedTuple):
    """What a machine code means over HTTP."""

    status: int
    title: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "malformed": Kind(400, "Malformed request"),
        "unauthenticated": Kind(401, "Not signed in"),
        "denied": Kind(403, "Access denied"),
        "not_found": Kind(404, "Not found"),
        "method_not_allowed": Kind(405, "Method not allowed"),
        "request_timeout": Kind(408, "Request timeout"),
        "conflict": Kind(409, "Conflict"),
        "precondition_failed": Kind(412, "Precondition failed"),
        "too_large": Kind(413, "Body too large"),
        "unsupported_media_type": Kind(415, "Unsupported media type"),
        "invalid": Kind(422, "Invalid input"),
        "precondition_required": Kind(428, "Precondition required"),
        "too_many_requests": Kind(429, "Too many requests"),
        "headers_too_large": Kind(431, "Headers too large"),
        "internal": Kind(500, "Internal error"),
        "unavailable": Kind(503, "Unavailable"),
        "database_timeout": Kind(504, "Database timeout"),
    }
)

_INTERNAL: Final = KINDS["internal"]
_CODE_OF_STATUS: Final = MappingProxyType({kind.status: code for code, kind in KINDS.items()})

# Statuses after which a client may simply come back, and so is told when.
_COME_BACK: Final = frozenset({429, 503})


class ProblemObject(msgspec.Struct, frozen=True):
    """The body of every error. `instance` is the request id, under which the log knows more."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None
    errors: tuple[Place, ...] = ()


def is_expected(error: BaseException) -> bool:
    """Whether `error` is an answer to the client rather than a fault of ours that must be logged in full."""
    if isinstance(error, Problem):
        return error.code in KINDS and error.code != "internal"
    return isinstance(error, HTTPException) and error.status_code >= 400 and error.status_code != 500


def problem_object(error: BaseException, instance: str | None) -> ProblemObject:
    """What a client is shown of `error`: in a response body, or as `problem` of a WebSocket error frame.

    A starlette HTTPException is translated by its status; where the table has none for it, the code is the
    status's own phrase (`gone`, `im_a_teapot`). Everything unexpected becomes `internal` and tells nothing.
    """
    if isinstance(error, Problem) and is_expected(error):
        code, kind = error.code, KINDS[error.code]
        return ProblemObject(
            _urn(code), kind.title, kind.status, error.detail or kind.title, instance, error.errors
        )
    if isinstance(error, HTTPException) and is_expected(error):
        code, kind = _kind_of_status(error.status_code)
        return ProblemObject(_urn(code), kind.title, kind.status, error.detail or kind.title, instance)
    return ProblemObject(_urn("internal"), _INTERNAL.title, _INTERNAL.status, DULL_SENTENCE, instance)


def problem_response(
    error: BaseException, instance: str | None
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body that answer `error` over HTTP."""
    shown = problem_object(error, instance)
    body = json.encode(shown)
    headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body))]
    headers += _headers_of(error, shown.status)
    return shown.status, headers, body


def _headers_of(error: BaseException, status: int) -> list[tuple[bytes, bytes]]:
    headers: dict[bytes, bytes] = {}
    if status == 401:
        headers[b"www-authenticate"] = b"Bearer"
    if status in _COME_BACK:
        headers[b"retry-after"] = b"%d" % getattr(error, "retry_after_seconds", 1)
    if isinstance(error, MethodNotAllowed):  # empty where nothing is answered: RFC 9110, 15.5.6
        headers[b"allow"] = ", ".join(error.allowed).encode("ascii")
    if isinstance(error, HTTPException) and is_expected(error):
        for name, value in (error.headers or {}).items():
            headers[name.lower().encode("latin-1")] = value.encode("latin-1")
    return list(headers.items())


def _kind_of_status(status: int) -> tuple[str, Kind]:
    code = _CODE_OF_STATUS.get(status)
    if code is not None:
        return code, KINDS[code]
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"Status {status}"
    slug = "".join(letter if letter.isalnum() else "_" for letter in phrase.lower().replace("'", ""))
    return slug, Kind(status, phrase)


def _urn(code: str) -> str:
    return f"urn:starling:{code}"
