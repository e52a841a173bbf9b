"""Headers of answers, each one component: what a name means is told once."""

from typing import Final

from app.openapi.schemas import Schema

REQUEST_ID: Final = "X-Request-ID"
ETAG: Final = "ETag"
LINK: Final = "Link"
LOCATION: Final = "Location"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
DISPOSITION: Final = "Content-Disposition"
RETRY_AFTER: Final = "Retry-After"
CHALLENGE: Final = "WWW-Authenticate"
IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"

_TEXT: Final[Schema] = {"type": "string"}

_HEADERS: Final[dict[str, tuple[str, Schema]]] = {
    REQUEST_ID: (
        "The id under which the log knows this request; a sane one that the client sends is kept.",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    ),
    ETAG: (
        "Stands for this answer: sent as `If-None-Match` or `If-Match` it says what the client has seen.",
        _TEXT,
    ),
    LINK: ("Paths of the `first` page and of the `next` one, where there is one (RFC 8288).", _TEXT),
    LOCATION: ("The path of what was made, where one thing was.", _TEXT),
    REPLAYED: (
        "This is what the first request with the same `Idempotency-Key` was answered; nothing was done now.",
        {"const": "true"},
    ),
    DISPOSITION: ("The name of the file.", _TEXT),
    RETRY_AFTER: ("Seconds to wait before coming back.", {"type": "integer", "minimum": 0}),
    CHALLENGE: ("The scheme to sign in with.", _TEXT),
}


def headers(*names: str) -> dict[str, Schema]:
    """The headers of an answer: X-Request-ID, which every answer has, and `names`."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (REQUEST_ID, *names)}


def components() -> dict[str, Schema]:
    """What `headers` refers to."""
    return {name: {"description": text, "schema": schema} for name, (text, schema) in _HEADERS.items()}
