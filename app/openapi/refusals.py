"""The problems that an operation may answer with: all are one schema, and each status is one component.

405 is not among an operation's own answers, because a method that the document has is never refused. 408, 413
of a head and 431 are the server's, before there is an operation.
"""

from collections.abc import Iterable
from typing import Final

from app.http.problems import CONTENT_TYPE, KINDS
from app.openapi.headers import CHALLENGE, RETRY_AFTER, headers
from app.openapi.schemas import Schema, reference

EVERYWHERE: Final = ("internal", "unavailable", "database_timeout")
SIGNED_IN: Final = ("unauthenticated", "denied")
INPUT: Final = ("malformed", "invalid")
BODY: Final = ("malformed", "too_large", "unsupported_media_type", "invalid")

_HEADERS: Final = {
    "unauthenticated": CHALLENGE,
    "too_many_requests": RETRY_AFTER,
    "unavailable": RETRY_AFTER,
}


def refusals(codes: Iterable[str]) -> dict[str, Schema]:
    """The responses of an operation that may refuse with these machine codes, by status."""
    statuses = sorted({(str(KINDS[code].status), code) for code in codes})
    return {status: {"$ref": f"#/components/responses/{code}"} for status, code in statuses}


def codes_of(statuses: Iterable[int]) -> list[str]:
    """The machine codes of statuses. Raises KeyError for one that no problem has."""
    by_status = {kind.status: code for code, kind in KINDS.items()}
    return [by_status[status] for status in statuses]


def components() -> dict[str, Schema]:
    """The responses that `refusals` refers to, by machine code."""
    return {code: _response(code) for code in KINDS}


def _response(code: str) -> Schema:
    kind = KINDS[code]
    names = [_HEADERS[code]] if code in _HEADERS else []
    return {
        "description": f"{kind.title} (`{code}`).",
        "headers": headers(*names),
        "content": {CONTENT_TYPE.decode(): {"schema": reference("Problem")}},
    }
