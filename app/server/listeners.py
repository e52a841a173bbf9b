"""The sockets that the workers listen on, bound by the parent before anything else starts."""

import errno
import socket
import sys
from collections.abc import Sequence
from typing import Self

from app.core.errors import StartError

_BACKLOG = 2048  # connections that wait to be accepted; the kernel lowers it to net.core.somaxconn


class Listeners:
    """Listening sockets for a number of workers. `port` is the real one when 0 was asked for.

    On Linux each worker has a socket of its own (SO_REUSEPORT) and the kernel spreads connections evenly; of
    a shared socket an idle system wakes mostly the same worker. The parent keeps them open, so that a
    connection that came for a worker which just died waits for its successor. Elsewhere the option does not
    spread anything, and the workers share.
    """

    def __init__(self, host: str, port: int, workers: int) -> None:
        """Bind to every address that `host` stands for. Raises StartError when one is in use, or none is
        ours.
        """
        self.host = host
        self.port = port
        self.are_handed_down = False
        self._sockets: list[list[socket.socket]] = [[] for _ in range(workers)]
        is_spread = workers > 1 and sys.platform == "linux"
        refusals: list[OSError] = []
        for family, address in _addresses(host, port):
            try:
                self._bind(family, address, is_spread)
            except OSError as error:
                refusals.append(error)
        if any(error.errno == errno.EADDRINUSE for error in refusals) or not self._sockets[0]:
            self.close()
            raise _explained(host, port, refusals)

    @classmethod
    def handed_down(cls, sockets: Sequence[socket.socket], workers: int) -> Self:
        """Of sockets that somebody else has bound: all workers share them, because the queue of one of our
        own would be lost when we end."""
        listeners = cls.__new__(cls)
        listeners.are_handed_down = True
        name = sockets[0].getsockname()
        listeners.host, listeners.port = name[:2] if isinstance(name, tuple) else (name, 0)
        listeners._sockets = [list(sockets) for _ in range(workers)]
        return listeners

    def of_worker(self, number: int) -> list[socket.socket]:
        """The sockets of one worker, counted from 0."""
        return self._sockets[number]

    def close(self) -> None:
        """Close them all. A connection that nobody has accepted is refused."""
        self.close_except(None)

    def close_except(self, number: int | None) -> None:
        """Close all but those of one worker: for that worker, after the fork."""
        kept = [] if number is None else self._sockets[number]
        for sockets in self._sockets:
            for opened in sockets:
                if opened not in kept:
                    opened.close()

    def _bind(self, family: socket.AddressFamily, address: str, is_spread: bool) -> None:
        # Bound alone first: with SO_REUSEPORT another program of this user that has set it too would not be
        # noticed.
        first = _listen(family, address, self.port, reuse_port=False)
        self.port = first.getsockname()[1]
        if not is_spread:
            for sockets in self._sockets:
                sockets.append(first)
            return
        first.close()
        for sockets in self._sockets:
            sockets.append(_listen(family, address, self.port, reuse_port=True))


def _listen(family: socket.AddressFamily, address: str, port: int, *, reuse_port: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((address, port))
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise StartError(
            f"HTTP__HOST is {host!r}, which is neither an address nor a known name: "
            "set it to an address of this machine"
        ) from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _explained(host: str, port: int, refusals: list[OSError]) -> StartError:
    for error in refusals:
        if error.errno == errno.EADDRINUSE:
            return StartError(
                f"port {port} of {host} is in use by another program: "
                "stop that one, or set HTTP__PORT to another port"
            )
        if error.errno == errno.EACCES:
            return StartError(
                f"this user may not listen on port {port} of {host}: "
                "set HTTP__PORT to one above 1023, and put a proxy before it"
            )
    return StartError(
        f"HTTP__HOST is {host!r}, which is not an address of this machine: "
        "set it to one, or to 0.0.0.0 for all"
    )
