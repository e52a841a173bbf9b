"""Which pages of other origins may call, and what their browsers are told (CORS, of the Fetch standard).

Credentials in the sense of that standard (cookies) are never allowed: tokens travel in the Authorization
header. To an origin that is not on the list nothing is said, as if there were no CORS here at all.
"""

from collections.abc import Sequence
from typing import Final

RawHeaders = tuple[tuple[bytes, bytes], ...]

_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS: Final = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
)
_EXPOSED: Final = (
    b"Content-Disposition, ETag, Idempotency-Replayed, Link, Location, Retry-After, X-Request-ID, X-Worker"
)
# Ten minutes: longer saves little, and a changed list of origins would take as long to be honoured.
_MAX_AGE_SECONDS: Final = b"600"

_PREFLIGHT: Final = (
    (b"access-control-allow-methods", _METHODS),
    (b"access-control-allow-headers", _REQUEST_HEADERS),
    (b"access-control-max-age", _MAX_AGE_SECONDS),
)


class Cors:
    """The allow-list. Pure: from an Origin header to the headers of the answer."""

    def __init__(self, origins: Sequence[str]) -> None:
        self.is_off = not origins
        # Also where the origin is a stranger's, or absent: a cache must not hand that answer to a page that
        # is on the list.
        self._unlisted: RawHeaders = () if self.is_off else ((b"vary", b"Origin"),)
        self._listed: dict[bytes, RawHeaders] = {
            origin.encode("ascii"): (
                (b"access-control-allow-origin", origin.encode("ascii")),
                (b"access-control-expose-headers", _EXPOSED),
                (b"vary", b"Origin"),
            )
            for origin in origins
        }

    def headers(self, origin: bytes | None) -> RawHeaders:
        """What every answer to `origin` carries; `None` is a request without an Origin header."""
        return self._unlisted if origin is None else self._listed.get(origin, self._unlisted)

    def preflight_headers(self, origin: bytes | None) -> RawHeaders | None:
        """What the answer to a preflight carries besides `headers`; None when the origin is unlisted."""
        return _PREFLIGHT if origin in self._listed else None
