"""What a handshake says before anything else: which page opened the socket, and perhaps the token."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

SUBPROTOCOL: Final = "starling.v1"
_BEARER: Final = "bearer."
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Offer(NamedTuple):
    """What to answer of the subprotocols that the client offers, and the token that came among them."""

    subprotocol: str | None
    token: str | None


def read_offer(subprotocols: Sequence[str]) -> Offer:
    """Of `["starling.v1", "bearer.<token>"]`, the one place where a browser can put a token, or nothing."""
    tokens = [offered.removeprefix(_BEARER) for offered in subprotocols if offered.startswith(_BEARER)]
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in subprotocols else None
    return Offer(subprotocol, tokens[0] if tokens else None)


def is_allowed_origin(origins: Sequence[str], host: str | None, *, listed: Collection[str]) -> bool:
    """Whether the page may use this socket: one of this host, or of a listed origin; no header, and it is no
    browser.

    Browsers let any page open a socket to anywhere and send the header by themselves. Schemes are not
    compared: who ends TLS in front of us may not say so.
    """
    if not origins:
        return True
    if len(origins) > 1:
        return False
    origin = origins[0]
    if origin in listed:
        return True
    scheme, _, _ = origin.partition("://")
    ours = _address(f"{scheme}://{host}") if host is not None else None
    return ours is not None and _address(origin) == ours


def _address(origin: str) -> tuple[str, int] | None:
    """Host and port, which the scheme implies where there is none; None for what has no such thing."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return None
    return parts.hostname, port or _DEFAULT_PORTS[parts.scheme]
