"""API keys as they travel: `sk_`, a prefix that may be shown, and 256 random bits."""

import hashlib
import re
import secrets
import string
from typing import Final

import msgspec

MARK: Final = "sk_"
"""By which a key is told from an access token, by us and by those who look for leaked secrets."""

_PREFIX_LETTERS: Final = string.ascii_lowercase + string.digits
_SECRET_LETTERS: Final = (
    string.ascii_letters + string.digits
)  # nothing that ends a word: a double click takes all
_PREFIX_LENGTH: Final = 12
_SECRET_LENGTH: Final = 43  # of 62 letters: 256 bits
_KEY: Final = re.compile(
    rf"{MARK}(?P<prefix>[a-z0-9]{{{_PREFIX_LENGTH}}})_(?P<secret>[A-Za-z0-9]{{{_SECRET_LENGTH}}})"
)


class KeySecret(msgspec.Struct, frozen=True):
    """One API key, taken apart."""

    prefix: str
    secret: str

    @property
    def digest(self) -> bytes:
        """What is stored of the secret: SHA-256."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    def text(self) -> str:
        """The key as its user gets it."""
        return f"{MARK}{self.prefix}_{self.secret}"


def new_api_key() -> KeySecret:
    """A key that nobody has seen yet."""
    return KeySecret(_random(_PREFIX_LETTERS, _PREFIX_LENGTH), _random(_SECRET_LETTERS, _SECRET_LENGTH))


def read_api_key(text: str) -> KeySecret | None:
    """The key that `text` is, or None when it cannot be one."""
    found = _KEY.fullmatch(text)
    return None if found is None else KeySecret(found["prefix"], found["secret"])


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
