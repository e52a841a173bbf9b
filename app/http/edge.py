"""The edge: one pure ASGI pass that does for every request and every socket what must be done once.

In this order: request id, worker and security headers; trusted proxies; Host allow-list; CORS; readiness;
body limit; token. Then the application answers, and whatever it raises becomes a problem. What was bound
to the context is put back in the end, also on cancellation. Cost matters here, because every request pays
it: headers are looked through once, what can be made at construction is, and only one `send` is wrapped
around the server's."""

import asyncio
import logging
from time import perf_counter
from typing import Any, Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.core.access import Authenticator, reset_access_session, set_access_session
from app.core.errors import Unavailable
from app.core.request_context import request_id as current_request_id
from app.core.settings import SettingsCore
from app.http import access_log
from app.http.addresses import AddressCounts
from app.http.answers import REFUSED_STATUS, REQUEST_ID, Answer, HttpAnswer, SocketAnswer
from app.http.bearer import cached_session, verified_session
from app.http.body_limit import BodyLimit
from app.http.cors import Cors
from app.http.dispatch import AUTH_FAILURE, route_path
from app.http.hosts import AllowedHosts
from app.http.metrics import Metrics
from app.http.metrics_route import IS_FORWARDED, METRICS
from app.http.problems import is_expected
from app.http.proxies import TrustedProxies
from app.http.replies import send_nothing
from app.http.request_id import RequestIds
from app.http.settings import HttpSettings
from app.http.trace import current_trace, parsed_trace
from orm.context import Home, reset_home, set_home
from orm.errors import Problem
from orm.tally import Tally, reset_tally, set_tally

_logger = logging.getLogger(__name__)

_LOOKED_AT: Final = frozenset(
    {
        b"access-control-request-method",
        b"authorization",
        b"content-length",
        b"host",
        b"origin",
        b"traceparent",
        b"transfer-encoding",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)

# Health checks and metrics answer whatever Host they name, and before the start is over: what they stand on
# is made together with the application.
_PROBES: Final = ("/health/", "/metrics")


class EdgeEnvironment(Home, Protocol):
    """What the edge asks of an Environment, besides being the home of models."""

    @property
    def settings(self) -> SettingsCore:
        """Read once, when the edge is made."""

    @property
    def worker(self) -> str:
        """The name of this process in every answer. Read once, too."""

    @property
    def authenticator(self) -> Authenticator | None:
        """Who verifies tokens, asked for at every request; None: nobody can be signed in."""

    @property
    def is_ready(self) -> bool:
        """Whether requests are answered, asked for at every request; health checks always are."""


class Edge:
    """Stands around an ASGI application, mostly a Dispatcher, that raises problems and answers the
    rest."""

    def __init__(self, app: ASGIApp, *, env: EdgeEnvironment) -> None:
        settings = env.settings.section(HttpSettings)
        self.metrics = Metrics()
        self._app = app
        self._env = env
        self._request_ids = RequestIds()
        self._hosts = AllowedHosts(settings.allowed_hosts)
        self._cors = Cors(settings.cors_origins)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._sockets = AddressCounts(settings.max_connections_per_address)
        self._body_limit = BodyLimit(settings.max_body_bytes)
        self._headers = ((b"x-worker", env.worker.encode("latin-1")), (b"x-content-type-options", b"nosniff"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; anything else (the lifespan) is the application's own."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        found = _look_through(scope["headers"])
        request_id = self._request_ids.choose(found.get(b"x-request-id"))
        scope[REQUEST_ID] = request_id
        headers = ((b"x-request-id", request_id.encode("ascii")), *self._headers)
        answer: Answer
        answer = (
            HttpAnswer(send, scope, request_id, headers)
            if kind == "http"
            else SocketAnswer(send, scope, request_id, headers)
        )

        id_token = current_request_id.set(request_id)
        trace_token = None
        if b"traceparent" in found:
            trace_token = current_trace.set(parsed_trace(found[b"traceparent"]))
        asked = Tally()
        tally_token = set_tally(asked)
        home_token = set_home(self._env)
        # Nobody, whoever may be asking in the context that the server was started from.
        asker_token = set_access_session(None)
        try:
            await self._serve(scope, receive, answer, found)
        except (ClientDisconnect, WebSocketDisconnect):
            _logger.debug("the client went away")
        except (Problem, HTTPException) as refusal:
            if answer.status or not is_expected(refusal):
                _logger.exception("a request failed")
            await answer.refuse(refusal)
        except Exception as error:
            _logger.exception("a request failed")
            await answer.refuse(error)
        except asyncio.CancelledError:
            # By the server, at its end: the time for requests under way is over.
            if not answer.status and isinstance(answer, HttpAnswer):
                await answer.refuse(Unavailable("This process is stopping: come back in a moment."))
            raise
        finally:
            status = answer.status or scope.get(REFUSED_STATUS, 0)
            self._note(scope, status, perf_counter() - started_at, asked)
            reset_access_session(asker_token)
            reset_home(home_token)
            reset_tally(tally_token)
            current_request_id.reset(id_token)
            if trace_token is not None:
                current_trace.reset(trace_token)

    def _note(self, scope: Scope, status: int, seconds: float, asked: Tally) -> None:
        """A request was answered: count it, and write its line. A socket counts by how it began, its time
        being the client's."""
        is_socket = scope["type"] == "websocket"
        method = "WEBSOCKET" if is_socket else scope["method"]
        template = scope.get(access_log.TEMPLATE)
        self.metrics.observe(
            method, template, status or access_log.CLIENT_LEFT, 0.0 if is_socket else seconds
        )
        if asked.statements and not is_socket:
            self.metrics.observe_database(asked.seconds)
        if access_log.is_on():
            access_log.write(scope, status, seconds, asked)

    async def _serve(self, scope: Scope, receive: Receive, answer: Answer, found: dict[bytes, bytes]) -> None:
        is_forwarded = False
        if not self._proxies.trusts_nobody:
            is_forwarded = self._proxies.apply(
                scope, found.get(b"x-forwarded-for"), found.get(b"x-forwarded-proto")
            )
        is_probe = route_path(scope).startswith(_PROBES)
        if is_probe:
            scope[METRICS] = self.metrics
            scope[IS_FORWARDED] = b"x-forwarded-for" in found and not is_forwarded
        if not (self._hosts.allows_all or is_probe):  # a probe asks by address, whatever the names are
            self._hosts.check(found.get(b"host"))
        if isinstance(answer, HttpAnswer):
            if not self._cors.is_off and await self._is_preflight(scope, answer, found):
                return
            # HTTP/2 and later frame their bodies without saying so in a header.
            may_be_chunked = b"transfer-encoding" in found or scope.get("http_version", "1.1") >= "2"
            length = found.get(b"content-length")
            receive = self._body_limit.guard(receive, length, may_be_chunked=may_be_chunked)
        if not self._env.is_ready and not is_probe:
            raise Unavailable("This process is starting or stopping: come back in a moment.")
        authorization = found.get(b"authorization")
        if authorization is not None:
            await self._sign_in(authorization, scope)
        if is_forwarded and isinstance(answer, SocketAnswer):
            # The server counts connections by peer, and this peer is a proxy: many clients.
            with self._sockets.held(scope["client"][0]):
                await self._app(scope, receive, answer.send)
            return
        await self._app(scope, receive, answer.send)
        if not answer.status and isinstance(answer, HttpAnswer):
            raise RuntimeError(f"the route at {scope['path']!r} returned without an answer")

    async def _is_preflight(self, scope: Scope, answer: HttpAnswer, found: dict[bytes, bytes]) -> bool:
        """Whether it was one, and is answered. Adds to every other answer what its origin must be told."""
        origin = found.get(b"origin")
        answer.headers += self._cors.headers(origin)
        if scope["method"] != "OPTIONS" or b"access-control-request-method" not in found:
            return False
        preflight = self._cors.preflight_headers(origin)
        if preflight is None:
            return False
        await send_nothing(answer.send, 204, list(preflight))
        return True

    async def _sign_in(self, authorization: bytes, scope: Scope) -> None:
        """Bind the session that the header stands for; `__call__` puts back what was bound before."""
        authenticator = self._env.authenticator
        session = cached_session(authorization, authenticator)
        if session is None:
            try:
                session = await verified_session(authorization, authenticator)
            except Problem as failure:
                # Without its traceback, which keeps this frame, and so the scope that keeps the failure.
                scope[AUTH_FAILURE] = failure.with_traceback(None)
                return
        set_access_session(session)


def _look_through(headers: Any) -> dict[bytes, bytes]:
    """The headers that the edge looks at; one that comes twice is joined by a comma, and fits no check."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _LOOKED_AT:
            found[name] = value if name not in found else found[name] + b"," + value
    return found
