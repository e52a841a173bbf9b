"""Connections over TCP whose other end may vanish without a word: a host that lost its power, a firewall
that forgot us."""

import socket
from typing import Any, Final

import asyncpg

# Noticed after 20 s, in a wait of any length: 4 probes without an answer, or bytes that nobody acknowledged.
_KEEP_ALIVE: Final = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 1),
    ("TCP_KEEPIDLE", socket.IPPROTO_TCP, 8),
    ("TCP_KEEPINTVL", socket.IPPROTO_TCP, 3),
    ("TCP_KEEPCNT", socket.IPPROTO_TCP, 4),
    ("TCP_USER_TIMEOUT", socket.IPPROTO_TCP, 20_000),
)


def keep_alive(connection: "asyncpg.Connection[Any]") -> None:
    """Let the system notice a server that vanished without closing the connection. A unix socket has no need
    of it."""
    transport = getattr(connection, "_transport", None)  # the driver shows its socket to nobody
    wire = None if transport is None else transport.get_extra_info("socket")
    if wire is None or wire.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, level, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)  # macOS lacks some
        if option is not None:
            wire.setsockopt(level, option, value)
