"""Refresh tokens as they travel: the family they belong to, and 256 random bits of their own."""

import base64
import hashlib
import re
import secrets
import uuid
from typing import Final

import msgspec

_FAMILY_BYTES: Final = 16
_SECRET_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes of base64url, which need no padding


class RefreshSecret(msgspec.Struct, frozen=True):
    """One refresh token, taken apart. Whoever knows the family has held a token of it."""

    family: uuid.UUID
    secret: bytes

    @property
    def digest(self) -> bytes:
        """What is stored of it: SHA-256."""
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """The token as the client gets it: 64 characters of base64url."""
        return base64.urlsafe_b64encode(self.family.bytes + self.secret).decode()


def new_refresh_secret(family: uuid.UUID) -> RefreshSecret:
    """A token of `family` that nobody has seen yet."""
    return RefreshSecret(family, secrets.token_bytes(_SECRET_BYTES))


def read_refresh_token(text: str) -> RefreshSecret | None:
    """The token that `text` is, or None when it cannot be one."""
    if not _TOKEN.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text)
    return RefreshSecret(uuid.UUID(bytes=raw[:_FAMILY_BYTES]), raw[_FAMILY_BYTES:])
