"""/metrics, for those who may see it: whoever asks from this machine, and administrators."""

import ipaddress
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import Scope

from app.core.access import access_session_or_none
from app.http.bodies import Request
from app.http.dispatch import auth_failure
from app.http.metrics import Metrics, rendered
from app.http.routing import Content, Router
from orm.errors import AccessDenied

METRICS: Final = "starling.metrics"
"""Key in the scope under which the edge leaves its metrics for this route."""

IS_FORWARDED: Final = "starling.is_forwarded"
"""Key in the scope under which the edge leaves, for this route, whether somebody forwards the request."""

_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def add_metrics_route(router: Router) -> None:
    """The public route /metrics, which looks by itself at who asks."""

    @router.get("/metrics", responses={200: Content(_CONTENT_TYPE), 401: None, 403: None})
    async def metrics(request: Request) -> PlainTextResponse:
        """Numbers for Prometheus.

        For whoever asks from this machine, and for administrators. With several workers the numbers of all of
        them, told apart by the label `worker`; those of the others are at most a second old.
        """
        _check(request.scope)
        found: Metrics = request.scope[METRICS]
        return PlainTextResponse(rendered(found.gather_all()), media_type=_CONTENT_TYPE)


def _check(scope: Scope) -> None:
    if _is_from_here(scope):
        return
    session = access_session_or_none()
    if session is None:
        raise auth_failure(scope)
    if not session.is_admin:
        raise AccessDenied("The metrics are for administrators, and for who asks from the machine itself.")


def _is_from_here(scope: Scope) -> bool:
    client = scope.get("client")
    # Forwarded by a program on this machine that HTTP__TRUSTED_PROXIES does not name: the client is
    # elsewhere.
    if client is None or scope.get(IS_FORWARDED):
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
