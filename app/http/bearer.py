"""The token in a request, and the one question asked about it."""

import re
from typing import Final

from app.core.access import AccessSession, Authenticator
from app.core.errors import Unauthenticated

_TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # b64token of RFC 6750; JWTs and API keys are both
_BEARER: Final = b"bearer "


def cached_session(header: bytes, authenticator: Authenticator | None) -> AccessSession | None:
    """The session of an Authorization header whose token was verified before, without waiting; else None."""
    if authenticator is None or header[:7].lower() != _BEARER:
        return None
    return authenticator.cached(header[7:].decode("latin-1"))


async def verified_session(header: bytes, authenticator: Authenticator | None) -> AccessSession:
    """The session of an Authorization header. Raises Unauthenticated, and what `verify_access` raises."""
    if authenticator is None:
        raise Unauthenticated("Nobody can sign in here: no module that verifies tokens is running.")
    scheme, _, token = header.partition(b" ")
    token = token.lstrip(b" ")  # RFC 9110 lets a client write several
    if scheme.lower() != _BEARER.strip() or not _TOKEN.fullmatch(token):
        raise Unauthenticated("The Authorization header must read: Bearer, a space, the token.")
    return await authenticator.verify_access(token.decode("ascii"))
