"""How a module declares its routes: handlers take the request, and the decoded body where they declare one.

    router_private = Router(prefix="/chats", tags=("chat",))

    @router_private.post("/{chat_id:int}/messages", body=NewMessage, status=201)
    async def post_message(request: Request, body: NewMessage) -> Message:
        ...

What a handler returns becomes JSON with the route's status; None becomes 204; a `Reply` sets status or
headers; a starlette Response goes out as it is. What it raises becomes a problem at the edge.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, get_type_hints

from starlette.routing import Route, WebSocketRoute
from starlette.routing import Router as StarletteRouter
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.http.bodies import BodyDecoder, Request
from app.http.replies import send_answer

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
SocketHandler = TypeVar("SocketHandler", bound=Callable[[WebSocket], Awaitable[None]])


class HttpRoute(Route):
    """A route with what documentation needs to know of it.

    `body_type` is None where nothing is read. `status` is that of an answer with a body. `summary` and
    `description` are the handler's docstring (first line, the rest) unless they were given.
    """

    def __init__(
        self,
        path: str,
        handler: Callable[..., Awaitable[Any]],
        *,
        method: str,
        body_type: Any = None,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        _check_handler(handler, path, reads_body=body_type is not None)
        super().__init__(path, handler, methods=[method], name=name)
        documentation = inspect.getdoc(handler) or ""
        first_line, _, rest = documentation.partition("\n")
        self.body_type = body_type
        self.status = status
        self.summary = first_line if summary is None else summary
        self.description = rest.strip() if description is None else description
        self.tags = tuple(tags)
        self.app = (
            _without_body(handler, status) if body_type is None else _with_body(handler, body_type, status)
        )

    @property
    def returns(self) -> Any:
        """The handler's return annotation, resolved; `Any` where it has none."""
        return get_type_hints(self.endpoint, include_extras=True).get("return", Any)


class Router(StarletteRouter):
    """Routes below one prefix. `tags` group them in the documentation.

    `body` is the type that the JSON body must fit, mostly a subclass of `bodies.Body`. A path parameter is a
    text, or with `:int` a number from 0 to 2**63 - 1; a path that does not fit is 404. Raises TypeError for a
    handler that cannot be called that way.
    """

    def __init__(self, prefix: str = "", *, tags: Sequence[str] = ()) -> None:
        super().__init__(redirect_slashes=False)
        self.prefix = prefix
        self.tags = tuple(tags)

    def get(
        self,
        path: str,
        *,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """The decorated handler answers GET, and HEAD."""
        return self._route(
            "GET", path, body_type=None, status=status, name=name, summary=summary, description=description
        )

    def post(
        self,
        path: str,
        *,
        body: Any = None,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """The decorated handler answers POST."""
        return self._route(
            "POST", path, body_type=body, status=status, name=name, summary=summary, description=description
        )

    def put(
        self,
        path: str,
        *,
        body: Any = None,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """The decorated handler answers PUT."""
        return self._route(
            "PUT", path, body_type=body, status=status, name=name, summary=summary, description=description
        )

    def patch(
        self,
        path: str,
        *,
        body: Any = None,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """The decorated handler answers PATCH."""
        return self._route(
            "PATCH", path, body_type=body, status=status, name=name, summary=summary, description=description
        )

    def delete(
        self,
        path: str,
        *,
        body: Any = None,
        status: int = 200,
        name: str | None = None,
        summary: str | None = None,
        description: str | None = None,
    ) -> Callable[[Handler], Handler]:
        """The decorated handler answers DELETE."""
        return self._route(
            "DELETE", path, body_type=body, status=status, name=name, summary=summary, description=description
        )

    def websocket(self, path: str, *, name: str | None = None) -> Callable[[SocketHandler], SocketHandler]:
        """The decorated handler serves sockets: it is given a starlette WebSocket, not accepted yet."""

        def declare(handler: SocketHandler) -> SocketHandler:
            self.routes.append(WebSocketRoute(self.prefix + path, handler, name=name))
            return handler

        return declare

    def _route(self, method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.routes.append(
                HttpRoute(self.prefix + path, handler, method=method, tags=self.tags, **options)
            )
            return handler

        return declare


def _without_body(handler: Callable[..., Awaitable[Any]], status: int) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = await handler(Request(scope, receive, send))
        await send_answer(answer, status, scope, receive, send)

    return app


def _with_body(handler: Callable[..., Awaitable[Any]], body_type: Any, status: int) -> ASGIApp:
    read = BodyDecoder(body_type).read

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        answer = await handler(request, await read(request))
        await send_answer(answer, status, scope, receive, send)

    return app


def _check_handler(handler: Callable[..., Awaitable[Any]], path: str, *, reads_body: bool) -> None:
    where = f"the handler of {path}, {getattr(handler, '__qualname__', handler)!s},"
    if not inspect.iscoroutinefunction(handler):
        raise TypeError(f"{where} must be an async function")
    arguments = (None, None) if reads_body else (None,)
    try:
        inspect.signature(handler).bind(*arguments)
    except TypeError as error:
        takes = "the request and the body" if reads_body else "the request only: no body= is declared"
        raise TypeError(f"{where} must take {takes}") from error
