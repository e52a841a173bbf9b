"""The cookie by which a device is known again where somebody signed in before.

What OWASP calls a device cookie: it gives no rights. Whoever shows it may fail to sign in on an account of
its own, so that strangers who guess passwords cannot lock a user out of where he was before. It holds a
random name of the device and one signature for each login that was used on it, the last one first, each over
both. No login stands in it.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final

from services.auth_token.settings import SigningKey

NAME: Final = "starling_device"

SECONDS: Final = 365 * 86400
"""How long a browser keeps it after the last sign-in."""

MOST_LOGINS: Final = 8
"""On one device; of more, those that were used last are kept."""

_NAME_BYTES: Final = 16
_SIGNATURE_BYTES: Final = 16
_COOKIE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_-]{22})(?P<signatures>(?:\.[A-Za-z0-9_-]{1,32}~[A-Za-z0-9_-]{22})+)"
)


class DeviceCookies:
    """Makes and reads the cookies. The first key signs, all of them verify."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        # Not the keys themselves: what is signed here must never pass for something else that they sign.
        self._keys = {key.kid: _derived(key.secret) for key in keys}
        self._kid = keys[0].kid

    def known(self, cookie: str | None, login: str) -> str | None:
        """The name of the device, if this (canonical) login was used on it before; else None."""
        name, signatures = _taken_apart(cookie)
        for signature in signatures:
            kid = signature.partition("~")[0]
            if kid in self._keys and hmac.compare_digest(signature, self._signature(kid, name, login)):
                return name
        return None

    def with_login(self, cookie: str | None, login: str) -> str:
        """The cookie of a device on which this (canonical) login has just been used."""
        name, signatures = _taken_apart(cookie)
        name = name or _text(secrets.token_bytes(_NAME_BYTES))
        new = self._signature(self._kid, name, login)
        others = [signature for signature in signatures if signature != new]
        return ".".join([name, new, *others[: MOST_LOGINS - 1]])

    def _signature(self, kid: str, name: str, login: str) -> str:
        message = f"{name}.{login}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._keys[kid], message, "sha256")
        return f"{kid}~{_text(digest[:_SIGNATURE_BYTES])}"


def _taken_apart(cookie: str | None) -> tuple[str, list[str]]:
    """The device's name and the signatures; nothing of a cookie that is not in our form."""
    found = _COOKIE.fullmatch(cookie or "")
    if found is None:
        return "", []
    return found["name"], found["signatures"].split(".")[1 : MOST_LOGINS + 1]


def _derived(secret: bytes) -> bytes:
    return hmac.new(secret, b"starling device cookie", hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
