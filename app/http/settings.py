"""Settings of the HTTP edge: where it listens, what it accepts, and how long it waits."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from app.core.settings import Section

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_HOST = re.compile(r"\*|(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)


class HttpSettings(Section, frozen=True, kw_only=True):
    """HTTP__*. Times are absolute deadlines in seconds from the first byte; sizes are in bytes."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port to listen on; 0: the system chooses one.")
    ] = 8000
    workers: Annotated[int, Meta(ge=1, le=256, description="Worker processes.")] = 1
    max_body_bytes: Annotated[int, Meta(ge=1, description="Longest request body; 413 beyond.")] = 1_048_576
    # Below 1 KiB not even an ordinary browser's head with a token in it would fit.
    max_header_bytes: Annotated[int, Meta(ge=1024, description="Longest request head; 431 beyond.")] = 65_536
    header_timeout_seconds: Annotated[float, Meta(gt=0, description="Deadline for the head; 408 beyond.")] = (
        10
    )
    body_timeout_seconds: Annotated[float, Meta(gt=0, description="Deadline for the body; 408 beyond.")] = 30
    max_connections_per_address: Annotated[
        int, Meta(ge=1, description="Open connections of one address, sockets included.")
    ] = 1000
    cors_origins: Annotated[
        tuple[str, ...], Meta(description="Origins whose pages may call, e.g. https://app.example.")
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="Addresses or networks whose X-Forwarded-* headers are believed.")
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...], Meta(description="Host headers that are served: names, *.names, or * for all.")
    ] = ("*",)
    stop_seconds: Annotated[
        float, Meta(ge=0, description="How long open requests may go on at the end; 0: not at all.")
    ] = 10

    def problems(self) -> Iterable[str]:
        """Origins, networks and host patterns that can never match."""
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                yield (
                    f"HTTP__CORS_ORIGINS names {origin!r}: write each origin as a browser sends it, "
                    "scheme://host[:port] in lower case without a path (a * is not accepted)"
                )
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                yield f"HTTP__TRUSTED_PROXIES names {network!r}: write an address, or a network as 10.0.0.0/8"
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                yield (
                    f"HTTP__ALLOWED_HOSTS names {host!r}: "
                    "write a host name without scheme and port, *.example.com, or *"
                )
        if not self.allowed_hosts:
            yield "HTTP__ALLOWED_HOSTS is empty, so nothing would be served: name the hosts, or * for all"
