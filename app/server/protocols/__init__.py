"""What uvicorn's protocols lack: deadlines, limits, and errors in our one shape before there is a request.

    config = GuardedConfig(app, guard=Guard(settings.http, worker="w0rker"))

`connection.py` has what the HTTP protocols share, `with_httptools.py` and `with_h11.py` (an installation
without `[fast]`) tie it to uvicorn's two parsers, `web_socket.py` is the WebSocket protocol, `guard.py` what
all connections of a process have in common.

- An absolute deadline for the head, from its first byte (or from the connection, until one came), and another
one for the body, from the end of the head: 408. A head that is too long or has too many fields: 431. What is
no HTTP, or could mean two things to two programs (Content-Length beside Transfer-Encoding, two Host fields):
400.
- Each such answer is a problem with X-Request-ID and X-Worker, in its turn behind the answers to earlier
requests of the connection; then our side is closed and what still comes is dropped for a moment, so that
no reset overtakes the answer.
- A client that does not read its answer is cut off as well.
- Connections are counted by address of the peer and process. Peers that HTTP__TRUSTED_PROXIES names are many
clients: there the edge counts WebSockets by the address that they forward, and the proxy limits connections.

A request whose head and body come in one piece, as nearly all do, sets no timer, and costs some 0.8
microseconds more than with uvicorn's own protocol.
"""

from importlib.util import find_spec

from app.server.protocols.guard import Guard, GuardedConfig
from app.server.protocols.web_socket import SocketProtocol

if find_spec("httptools") is not None:
    from app.server.protocols.with_httptools import HttptoolsConnection as HttpConnection
else:
    from app.server.protocols.with_h11 import H11Connection as HttpConnection  # type: ignore[assignment]

__all__ = ["Guard", "GuardedConfig", "HttpConnection", "SocketProtocol"]
