"""Access tokens: JWT as RFC 8725 wants them, in the profile of RFC 9068.

HS256 and nothing else, with the key that `kid` names; `typ` is at+jwt, so that no other JWT signed with the
same key passes for one; the header says these three things and no more, so that whatever else a header could
ask for is never looked at; every claim that we write is required.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from time import time
from typing import Annotated, Any, Final, Literal

import jwt
import msgspec
from msgspec import Meta

from app.core.errors import Unauthenticated
from services.auth_token.settings import SigningKey

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub", "sid", "jti")

LONGEST_TOKEN: Final = 4096
"""Characters. Ours have some 350; what is longer is not even looked into."""

_TOKEN: Final = re.compile(r"(?P<header>[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")

# Clocks of several hosts differ a little. Only here: for the end of a token every second counts.
_EARLIEST_SECONDS: Final = 30


class Claims(msgspec.Struct, frozen=True):
    """Whom a token was issued for. `expires_at` is in Unix seconds."""

    user_id: int
    session_id: int
    expires_at: float


class AccessTokens:
    """Issues tokens with the first of `keys`, and verifies those of all."""

    def __init__(self, keys: Sequence[SigningKey], *, issuer: str, audience: str) -> None:
        self._signing_key = keys[0]
        self._secrets = {key.kid: key.secret for key in keys}
        self._issuer = issuer
        self._audience = audience

    def issue(self, *, user_id: int, session_id: int, expires_at: float) -> str:
        """A token for one user in one session, valid until `expires_at` in whole Unix seconds."""
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(12),
            "iat": int(time()),
            "exp": int(expires_at),
        }
        headers = {"typ": _TYPE, "kid": self._signing_key.kid}
        return jwt.encode(claims, self._signing_key.secret, algorithm=_ALGORITHM, headers=headers)

    def verify(self, token: str) -> Claims:
        """What a token says, if one of our keys signed it and it has not expired. Raises Unauthenticated.

        Whether its session is still honoured it cannot say.
        """
        secret = self._secrets.get(_kid(token))
        if secret is None:
            raise _invalid()
        try:
            payload = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={"require": list(_REQUIRED), "strict_aud": True, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The access token has expired: refresh it, or sign in again.") from None
        except jwt.InvalidTokenError:
            raise _invalid() from None
        return _claims(payload)


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: Literal["HS256"]
    typ: Literal["at+jwt"]
    kid: str


# What floating point counts in seconds, which the rest of the program does.
_Seconds = Annotated[int, Meta(gt=0, lt=2**53)]


class _Payload(msgspec.Struct):
    sub: str
    sid: str
    exp: _Seconds
    iat: _Seconds


_header = msgspec.json.Decoder(_Header)


def _kid(token: str) -> str:
    """Which key a token says that it was signed with. Raises Unauthenticated for what is no token of ours."""
    found = _TOKEN.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if found is None:
        raise _invalid()
    try:
        text = base64.urlsafe_b64decode(found["header"] + "=" * (-len(found["header"]) % 4))
        return _header.decode(text).kid
    except (ValueError, RecursionError):  # no base64, no JSON, or another header
        raise _invalid() from None


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        found = msgspec.convert(payload, _Payload)
    except msgspec.ValidationError:
        raise _invalid() from None
    if found.iat > time() + _EARLIEST_SECONDS:
        raise _invalid()
    return Claims(_id(found.sub), _id(found.sid), found.exp)


def _id(text: str) -> int:
    if not _ID.fullmatch(text):
        raise _invalid()
    return int(text)


def _invalid() -> Unauthenticated:
    return Unauthenticated("The access token is not valid.")
