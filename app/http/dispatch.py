"""Who answers a request: a hand-written route with its path and method, else what is mounted on its segment.

    dispatcher.include(router, private=True, module="chat")
    dispatcher.mount("api", generated)     # hand-written routes below /api win

There are no redirects: a path with a slash too many is another path, and unknown.

A private route wants somebody signed in. An API key with scopes reaches a hand-written route with the scope
that its path and method stand for: `/chats/7/messages` by POST is `chats:create`, `/api/users/7` by PATCH
`users:update`; a route may answer to any key. A public route whose router names tables runs as the anonymous
user, whoever asks.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.access import (
    AccessSession,
    Anonymous,
    access_session_or_none,
    scope_allows,
)
from app.core.errors import MethodNotAllowed, NotFound, StartError, Unauthenticated
from app.http.access_log import TEMPLATE
from app.http.idempotency import Idempotency
from app.http.index import WEBSOCKET, RouteIndex, Target
from orm.access import Operation, bind_asker, reset_asker
from orm.errors import AccessDenied, Problem

AUTH_FAILURE = "starling.auth_failure"
"""Key in the scope under which the edge leaves why a token was refused. Only private routes raise it."""


_OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {"GET": "read", "HEAD": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
)


class _Mounted(NamedTuple):
    app: ASGIApp
    is_private: bool


class Dispatcher:
    """The routes of one application, as an ASGI application that raises problems instead of answering them.

    `router` is the Starlette application's own: it is told of every route, so that `app.routes` and `url_for`
    know them, and it gets the lifespan.
    """

    def __init__(self, router: Router | None = None) -> None:
        self._router = Router() if router is None else router
        self._index = RouteIndex()
        self._mounted: dict[str, _Mounted] = {}
        self._before_anonymous: Callable[[], Awaitable[object]] | None = None
        self._idempotency: Idempotency | None = None

    def before_anonymous(self, work: Callable[[], Awaitable[object]]) -> None:
        """Await `work` before each answer to the anonymous user: for whoever must know his rights."""
        self._before_anonymous = work

    def honour_keys(self, idempotency: Idempotency) -> None:
        """From now on a private route that is asked with an Idempotency-Key is answered by `idempotency`."""
        self._idempotency = idempotency

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every hand-written route with its module and whether it is private, in the order of inclusion."""
        return self._index.targets

    def include(self, router: Router, *, private: bool, module: str) -> None:
        """Take in all routes of a router, ours or Starlette's; private ones want somebody signed in (401).

        Raises StartError when a route's path and method are taken, or `router` is no Router.
        """
        if not isinstance(router, Router):
            raise StartError(
                f"a router of module {module} is a {type(router).__name__}: "
                "make it an app.http.routing.Router"
            )
        for route in router.routes:
            self._index.add(route, is_private=private, module=module)
            self._router.routes.append(route)

    def mount(self, prefix_segment: str, app: ASGIApp, *, private: bool = True) -> None:
        """Let `app` answer what no hand-written route does below `/<prefix_segment>`; it sees the whole path.

        It raises NotFound and MethodNotAllowed for what it does not know, and may leave a template in the
        scope for the log. Raises StartError when the segment is taken.
        """
        if prefix_segment in self._mounted:
            raise StartError(f"two applications are mounted on /{prefix_segment}: keep one of them")
        self._mounted[prefix_segment] = _Mounted(app, private)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or socket. Raises NotFound, MethodNotAllowed, Unauthenticated, or its own."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._router(scope, receive, send)
            return
        path = route_path(scope)
        method = scope["method"] if kind == "http" else WEBSOCKET
        found = self._index.find(path, method, scope)
        if found is None:
            await self._fall_through(path, scope, receive, send)
            return
        target, child_scope = found
        scope[TEMPLATE] = target.template
        scope["route"] = target.route
        scope["router"] = self._router
        scope.update(child_scope)
        if target.is_private:
            session = access_session_or_none()
            if session is None:
                raise auth_failure(scope)
            if session.scopes is not None and not getattr(target.route, "any_key", False):
                _check_scope(session, path, method)
            await self._answer(target.app, path, scope, receive, send)
            return
        if tables := getattr(target.route, "tables", None):
            await self._answer_anonymous(Anonymous(tables=tables), target, scope, receive, send)
            return
        await target.app(scope, receive, send)

    async def _answer(self, app: ASGIApp, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._idempotency is not None and self._idempotency.is_asked(path, scope):
            await self._idempotency.answer(app, path, scope, receive, send)
        else:
            await app(scope, receive, send)

    async def _answer_anonymous(
        self, asker: Anonymous, target: Target, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if self._before_anonymous is not None:
            await self._before_anonymous()
        token = bind_asker(asker)
        try:
            await target.app(scope, receive, send)
        finally:
            reset_asker(token)

    async def _fall_through(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """No hand-written route has both path and method: what is mounted there is next."""
        mounted = self._mounted.get(path[1:].partition("/")[0])
        if mounted is None:
            raise self._unknown(path, scope)
        if mounted.is_private and access_session_or_none() is None:
            raise auth_failure(scope)
        try:
            if mounted.is_private:
                await self._answer(mounted.app, path, scope, receive, send)
            else:
                await mounted.app(scope, receive, send)
        except NotFound as refused:
            raise self._unknown(path, scope, detail=refused.detail) from None
        except MethodNotAllowed as refused:
            if not self._index.methods(path, scope):
                raise MethodNotAllowed(refused.detail, allowed=sorted(refused.allowed)) from None
            raise self._unknown(path, scope, refused.allowed, detail=refused.detail) from None

    def _unknown(
        self, path: str, scope: Scope, others: Sequence[str] = (), *, detail: str = ""
    ) -> NotFound | MethodNotAllowed:
        """What to raise where nothing answers, or only hand-written routes and `others` by other methods."""
        if scope["type"] != "http":
            return NotFound("There is no socket at this path.")
        allowed = sorted({*self._index.methods(path, scope), *others})
        if not allowed:
            return NotFound(detail or "There is nothing at this path.")
        # What the mounted application said holds only where it knows the path.
        said = detail if others else ""
        return MethodNotAllowed(said or f"This path answers {', '.join(allowed)}.", allowed=allowed)


def route_path(scope: Scope) -> str:
    """The path below the one that the whole application is served under (`root_path`, a server's option)."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _check_scope(session: AccessSession, path: str, method: str) -> None:
    """Raise AccessDenied where the scopes of an API key do not reach. A socket is asked for by reading."""
    segments = path.split("/", 3)
    route = segments[2] if segments[1] == "api" and len(segments) > 2 else segments[1]
    operation = _OPERATIONS.get(method, "read")
    if not scope_allows(session.scopes, route, operation):
        raise AccessDenied(f"This API key has no scope {route}:{operation}.")


def auth_failure(scope: Scope) -> Problem:
    """Why nobody is signed in: what was wrong with the token, or that there is none."""
    failure: Problem | None = scope.get(AUTH_FAILURE)
    return failure or Unauthenticated("Sign in first: this needs a bearer token.")
