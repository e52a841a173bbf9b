"""What all connections of a process share: limits, counts, and how a refusal reads."""

import secrets
from collections import Counter
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from app.http.addresses import AddressCounts
from app.http.problems import problem_response
from app.http.proxies import TrustedProxies
from app.http.request_id import RequestIds
from app.http.settings import HttpSettings

Fields = list[tuple[bytes, bytes]]

MOST_HEADERS: Final = 128
"""Fields of one head. Browsers send some 20, proxies add 10; each costs memory and a turn of every look."""

# Above the limit of an address a connection still gets an answer that says so; a flood gets none.
_ANSWERED_ABOVE_LIMIT: Final = 32


class Guard:
    """The limits of HTTP__* as the protocols need them. `refused` counts answers of theirs by status, and
    `connections` what is open. `is_stopping`, once set, lets each answer be the last of its connection."""

    def __init__(self, settings: HttpSettings | None = None, *, worker: str = "") -> None:
        settings = settings or HttpSettings()
        self.header_seconds = settings.header_timeout_seconds
        self.body_seconds = settings.body_timeout_seconds
        self.max_head_bytes = settings.max_header_bytes
        self.refused: Counter[int] = Counter()
        self.connections = 0
        self.is_stopping = False
        self._addresses = AddressCounts(settings.max_connections_per_address)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._request_ids = RequestIds()
        self._worker = (worker or secrets.token_hex(4)).encode("latin-1")
        self._fields: Fields = []
        self._rendered = b""

    def enter(self, address: str | None) -> bool | None:
        """Count one more connection: True, or False when this address has too many, or None when it is not
        even worth an answer. `leave` has to follow in any case."""
        self.connections += 1
        if address is None:  # a unix socket
            return True
        above = self._addresses.enter(address) - self._addresses.most
        if above <= 0 or self._proxies.trusts(address):
            return True
        return False if above <= _ANSWERED_ABOVE_LIMIT else None

    def leave(self, address: str | None) -> None:
        """Count one connection less."""
        self.connections -= 1
        if address is not None:
            self._addresses.leave(address)

    def choose_id(self, headers: Any) -> str:
        """The request id for a head that was read in part or not at all: the client's own where it is
        sane."""
        return self._request_ids.choose(dict(headers or ()).get(b"x-request-id"))

    def rendered(self, fields: Fields) -> bytes:
        """Header fields as they are written. Those of the last call are remembered: uvicorn makes a new list
        each second, with the date in it, for all answers."""
        if fields is not self._fields:
            self._fields = fields
            self._rendered = _rendered(fields)
        return self._rendered

    def refusal(self, problem: Exception, request_id: str) -> bytes:
        """A whole answer, after which the connection is closed."""
        status, headers, body = problem_response(problem, request_id)
        self.refused[status] += 1
        fields = [
            (b"date", formatdate(usegmt=True).encode()),
            *headers,
            (b"x-request-id", request_id.encode("ascii")),
            (b"x-worker", self._worker),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return b"".join([start, _rendered(fields), b"\r\n", body])


def _rendered(fields: Fields) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])


class GuardedConfig(uvicorn.Config):
    """uvicorn's configuration, which reaches every protocol, with the guard in it."""

    def __init__(self, app: ASGIApp, *, guard: Guard, **options: Any) -> None:
        super().__init__(app, **options)
        self.guard = guard


def guard_of(config: uvicorn.Config) -> Guard:
    """The guard of a configuration; one with default limits where it has none."""
    return config.guard if isinstance(config, GuardedConfig) else Guard()
