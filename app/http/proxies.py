"""Who the client really is, when the connection comes from a proxy that we trust."""

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from starlette.types import Scope

_SECURE_SCHEMES: Final = {"http": "https", "ws": "wss"}
_MOST_REMEMBERED: Final = 1024  # addresses of peers; parsing one costs more than all the rest here


class TrustedProxies:
    """Believes X-Forwarded-For and X-Forwarded-Proto, only from `networks`: addresses or CIDR networks."""

    def __init__(self, networks: Sequence[str]) -> None:
        self.trusts_nobody = not networks
        self._networks = tuple(ipaddress.ip_network(network, strict=False) for network in networks)
        self.trusts: Callable[[str], bool] = lru_cache(maxsize=_MOST_REMEMBERED)(self._is_trusted)
        """Whether the peer with that address is one of them."""

    def apply(self, scope: Scope, forwarded_for: bytes | None, forwarded_proto: bytes | None) -> bool:
        """Set scope["client"] and scope["scheme"] to what a trusted proxy says; others change nothing.

        True when the client is another one now.

        The client is the last address of the list that is no trusted proxy itself: what stands before it was
        written by strangers. A client behind a proxy has port 0.
        """
        peer = scope.get("client")
        if peer is None or not self.trusts(peer[0]):
            return False
        is_other = False
        if forwarded_for is not None:
            address = self._client_of(forwarded_for.decode("latin-1"))
            if address is not None:
                scope["client"] = (address, 0)
                is_other = True
        nearest_proto = (forwarded_proto or b"").rpartition(b",")[2].strip().lower()
        if nearest_proto in (b"https", b"wss"):
            scope["scheme"] = _SECURE_SCHEMES.get(scope["scheme"], scope["scheme"])
        return is_other

    def _client_of(self, chain: str) -> str | None:
        found = None
        for entry in reversed(chain.split(",")):
            address = _address(entry.strip())
            if address is None:
                break
            found = address
            if not self.trusts(address):
                break
        return found

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped  # how an IPv4 peer looks on a socket that listens for both
        return any(parsed in network for network in self._networks)


def _address(entry: str) -> str | None:
    """The address in `1.2.3.4`, `1.2.3.4:5678`, `::1` or `[::1]:5678`; None for anything else."""
    if entry.startswith("["):
        entry = entry[1 : entry.find("]")]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
