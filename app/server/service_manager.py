"""What a service manager hands to the parent, in the protocol of systemd: listening sockets, and a place
to tell that we are ready.

LISTEN_FDS=n: descriptors 3 to 2+n are listening sockets, used in place of HTTP__HOST and HTTP__PORT. They
stay open in the manager while one program ends and the next one starts (or in both programs, when the new
one starts first), so that no connection is refused or reset in between. LISTEN_PID, when set, must be this
process: a supervisor other than systemd may leave it out. NOTIFY_SOCKET is told READY=1 and STOPPING=1.
"""

import contextlib
import os
import socket
import stat
from collections.abc import MutableMapping
from typing import Final

from app.core.errors import StartError
from app.server.parent_log import LOGGER

FIRST_DESCRIPTOR: Final = 3
_NAMES: Final = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")


def take_sockets(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """The listening sockets that were handed down, none in most cases. `environ` is relieved of them, so that
    no child takes them for its own. Raises StartError when what was handed down is no such thing."""
    given = {name: environ.pop(name, "") for name in _NAMES}
    if not given["LISTEN_FDS"] or given["LISTEN_PID"] not in ("", str(os.getpid())):
        return []
    try:
        count = int(given["LISTEN_FDS"])
    except ValueError:
        raise StartError(f"LISTEN_FDS is {given['LISTEN_FDS']!r}, and should be a number") from None
    return [_listening(FIRST_DESCRIPTOR + index) for index in range(count)]


def tell(environ: MutableMapping[str, str], state: str) -> None:
    """Tell the service manager, if there is one: READY=1, STOPPING=1. One that does not listen is no reason
    to end."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)) as line:
        try:
            line.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
        except OSError as error:
            LOGGER.warning("the service manager could not be told %s: %s", state, error)


def _listening(descriptor: int) -> socket.socket:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise StartError(f"LISTEN_FDS says that descriptor {descriptor} is a socket, which it is not")
        handed = socket.socket(fileno=descriptor)
    except OSError as error:
        raise StartError(f"LISTEN_FDS names descriptor {descriptor}: {error.strerror}") from error
    if not handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise StartError(f"descriptor {descriptor} of LISTEN_FDS is a socket that does not listen")
    handed.set_inheritable(False)
    return handed
