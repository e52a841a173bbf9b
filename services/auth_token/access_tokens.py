"""Access tokens: JWT as RFC 8725 wants them, in the profile of RFC 9068.

HS256 and nothing else, with the key that `kid` names; `typ` is at+jwt, so that no other JWT signed with the
same key passes for one; every claim that we write is required.
"""

import secrets
from collections.abc import Sequence
from time import time
from typing import Any, Final

import jwt
import msgspec

from app.core.errors import Unauthenticated
from services.auth_token.settings import SigningKey

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub", "sid", "jti")

LONGEST_TOKEN: Final = 4096
"""Characters. Ours have some 350; what is longer is not even looked into."""

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
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _invalid()
        try:
            secret = self._secrets.get(jwt.get_unverified_header(token).get("kid", ""))
            if secret is None:
                raise _invalid()
            decoded = jwt.decode_complete(
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
        if decoded["header"].get("typ") != _TYPE:
            raise _invalid()
        return _claims(decoded["payload"])


class _Payload(msgspec.Struct):
    sub: str
    sid: str
    exp: int
    iat: int


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        found = msgspec.convert(payload, _Payload)
    except msgspec.ValidationError:
        raise _invalid() from None
    if found.iat > time() + _EARLIEST_SECONDS:
        raise _invalid()
    return Claims(_id(found.sub), _id(found.sid), found.exp)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _invalid()
    return int(text)


def _invalid() -> Unauthenticated:
    return Unauthenticated("The access token is not valid.")
