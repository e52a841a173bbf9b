"""Takes secrets out of text that people or machines will read: settings shown, problems, log lines."""

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

REDACTED: Final = "***"

# From the first colon after the user to the last @ of the same word: a password that was not percent-encoded
# may itself hold a slash or an @, and hiding a little too much is the better mistake.
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?P<secret>\S+)(?=@)", re.IGNORECASE)
_QUERY_PASSWORD = re.compile(r"(?P<head>[?&](?:ssl_?)?password=)(?P<secret>[^&\s]+)", re.IGNORECASE)
_BEARER = re.compile(r"(?P<head>\bbearer[ .])[A-Za-z0-9._~+/=-]+", re.IGNORECASE)

# Shorter values than this cannot be looked for in free text without hiding ordinary words.
_SHORTEST_SECRET = 6


def redact_urls(text: str) -> str:
    """`text` with the password of every URL in it replaced by three stars."""
    if "://" not in text:
        return text
    return _QUERY_PASSWORD.sub(rf"\g<head>{REDACTED}", _URL_PASSWORD.sub(rf"\g<head>{REDACTED}", text))


def url_passwords(text: str) -> set[str]:
    """The passwords of the URLs in `text`, as written and percent-decoded."""
    found = {
        match["secret"] for pattern in (_URL_PASSWORD, _QUERY_PASSWORD) for match in pattern.finditer(text)
    }
    return found | {unquote(secret) for secret in found}


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that hides the given secrets, passwords within URLs and bearer tokens in a text."""
    # The longest first: a secret may contain another one.
    known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in known:
            if secret in text:
                text = text.replace(secret, REDACTED)
        if "earer" in text or "EARER" in text:
            text = _BEARER.sub(rf"\g<head>{REDACTED}", text)
        return redact_urls(text)

    return redact
