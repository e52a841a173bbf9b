"""Where a request to sign in comes from."""

import ipaddress
from typing import Final

import msgspec

_LONGEST_USER_AGENT: Final = 255
_LONGEST_ADDRESS: Final = 64

# What one subscriber is given: who is refused at one address of it would go on at the next.
_IPV6_NETWORK: Final = 64


class Device(msgspec.Struct, frozen=True):
    """What a request says of its sender. `cookie` is the one that tells known devices, as it came."""

    address: str | None
    user_agent: str | None
    cookie: str | None = None

    @property
    def stored_address(self) -> str | None:
        """The address as a session keeps it."""
        return self.address[:_LONGEST_ADDRESS] if self.address else None

    @property
    def stored_user_agent(self) -> str | None:
        """The user agent as a session keeps it."""
        return self.user_agent.replace("\0", "")[:_LONGEST_USER_AGENT] if self.user_agent else None

    @property
    def network(self) -> str:
        """By what its failures are counted: the address, of IPv6 the network of its subscriber."""
        try:
            parsed = ipaddress.ip_address(self.address or "")
        except ValueError:
            return self.address or ""
        if isinstance(parsed, ipaddress.IPv4Address):
            return str(parsed)
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), _IPV6_NETWORK), strict=False))
