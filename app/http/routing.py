"""How a module declares its routes: handlers take the request, and what the route says that it reads.

    router_private = Router(prefix="/chats", tags=("chat",))

    @router_private.post("/{chat_id:int}/messages", body=NewMessage, status=201, responses={200: MessageView})
    async def post_message(request: Request, body: NewMessage) -> Reply[MessageView]:
        ...

    @router_private.get("/{chat_id:int}/messages", query=MessagePage)
    async def list_messages(request: Request, query: MessagePage) -> MessageList:
        ...

After the request comes the decoded body where `body` is declared, then the decoded parameters where `query`
is. What a handler returns becomes JSON with the route's status; None becomes 204; a `Reply` sets status or
headers; a starlette Response goes out as it is. What it raises becomes a problem at the edge.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypedDict, TypeVar, Unpack, get_type_hints

import msgspec
from starlette.routing import Route, WebSocketRoute
from starlette.routing import Router as StarletteRouter
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.core.access_presets import ACL
from app.http.bodies import BodyDecoder, Request
from app.http.query import QueryDecoder
from app.http.replies import send_answer
from orm.access import Operation

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
SocketHandler = TypeVar("SocketHandler", bound=Callable[[WebSocket], Awaitable[None]])

Tables = Mapping[str, frozenset[Operation]]
"""By name of a table, what may be done with it."""

_NO_TABLES: Final[Tables] = MappingProxyType({})


class Content(NamedTuple):
    """A body that is not JSON, in the `responses` of a route. `type` is what documentation tells of it."""

    media_type: str
    type: Any = str


class ReadingOptions(TypedDict, total=False):
    """What a route says of itself.

    `query` is the Struct that the query string must fit; without it parameters are not looked at. `status` is
    that of an answer with a body, 200 by default, and `responses` are the types of bodies by further statuses
    (None: no body, or from 400 on the usual problem; a Content: no JSON), for documentation. `summary` and
    `description` are the handler's docstring (first line, the rest) unless they are given. A route with
    `any_key` answers to an API key whatever its scopes.
    """

    query: type[msgspec.Struct] | None
    status: int
    responses: Mapping[int, Any]
    name: str | None
    summary: str | None
    description: str | None
    any_key: bool


class WritingOptions(ReadingOptions, total=False):
    """The same, and `body`: the type that the JSON body must fit, mostly a subclass of `bodies.Body`."""

    body: Any


class HttpRoute(Route):
    """A route with what documentation and dispatch need to know of it.

    `body_type` and `query_type` are None where nothing is read. `tables` are what a public route may do as
    the anonymous user. The options are those of the Router's decorators.
    """

    def __init__(
        self,
        path: str,
        handler: Callable[..., Awaitable[Any]],
        *,
        method: str,
        tags: Sequence[str] = (),
        tables: Tables = _NO_TABLES,
        **options: Unpack[WritingOptions],
    ) -> None:
        body, query = options.get("body"), options.get("query")
        _check_handler(handler, path, reads_body=body is not None, reads_query=query is not None)
        super().__init__(path, handler, methods=[method], name=options.get("name"))
        first_line, _, rest = (inspect.getdoc(handler) or "").partition("\n")
        summary, description = options.get("summary"), options.get("description")
        self.body_type = body
        self.query_type = query
        self.status = options.get("status", 200)
        self.any_key = options.get("any_key", False)
        self.responses = MappingProxyType(dict(options.get("responses", {})))
        self.summary = first_line if summary is None else summary
        self.description = rest.strip() if description is None else description
        self.tags = tuple(tags)
        self.tables = tables
        self.app = _application(handler, body, query, self.status)

    @property
    def returns(self) -> Any:
        """The handler's return annotation, resolved; `Any` where it has none."""
        return get_type_hints(self.endpoint, include_extras=True).get("return", Any)


class Router(StarletteRouter):
    """Routes below one prefix. `tags` group them in the documentation.

    `tables` are what the routes of a public router may do as the anonymous user, by table: an ACL, or the
    operations themselves. A path parameter is a text, or with `:int` a number from 0 to 2**63 - 1; a path
    that does not fit is 404. Raises TypeError for a handler that cannot be called that way.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        tags: Sequence[str] = (),
        tables: Mapping[str, ACL | frozenset[Operation]] = _NO_TABLES,
    ) -> None:
        super().__init__(redirect_slashes=False)
        self.prefix = prefix
        self.tags = tuple(tags)
        self.tables: Tables = MappingProxyType(
            {
                table: may.operations if isinstance(may, ACL) else frozenset(may)
                for table, may in tables.items()
            }
        )

    def get(self, path: str, **options: Unpack[ReadingOptions]) -> Callable[[Handler], Handler]:
        """The decorated handler answers GET, and HEAD."""
        return self._route("GET", path, **options)

    def post(self, path: str, **options: Unpack[WritingOptions]) -> Callable[[Handler], Handler]:
        """The decorated handler answers POST."""
        return self._route("POST", path, **options)

    def put(self, path: str, **options: Unpack[WritingOptions]) -> Callable[[Handler], Handler]:
        """The decorated handler answers PUT."""
        return self._route("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[WritingOptions]) -> Callable[[Handler], Handler]:
        """The decorated handler answers PATCH."""
        return self._route("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[WritingOptions]) -> Callable[[Handler], Handler]:
        """The decorated handler answers DELETE."""
        return self._route("DELETE", path, **options)

    def websocket(self, path: str, *, name: str | None = None) -> Callable[[SocketHandler], SocketHandler]:
        """The decorated handler serves sockets: it is given a starlette WebSocket, not accepted yet."""

        def declare(handler: SocketHandler) -> SocketHandler:
            self.routes.append(WebSocketRoute(self.prefix + path, handler, name=name))
            return handler

        return declare

    def _route(
        self, method: str, path: str, **options: Unpack[WritingOptions]
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.routes.append(
                HttpRoute(
                    self.prefix + path,
                    handler,
                    method=method,
                    tags=self.tags,
                    tables=self.tables,
                    **options,
                )
            )
            return handler

        return declare


def _application(
    handler: Callable[..., Awaitable[Any]], body_type: Any, query_type: Any, status: int
) -> ASGIApp:
    """The route as an ASGI application; the common kinds do nothing that they need not."""
    if query_type is not None:
        return _with_query(handler, body_type, query_type, status)
    if body_type is not None:
        return _with_body(handler, body_type, status)
    return _with_request(handler, status)


def _with_request(handler: Callable[..., Awaitable[Any]], status: int) -> ASGIApp:
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


def _with_query(
    handler: Callable[..., Awaitable[Any]], body_type: Any, query_type: Any, status: int
) -> ASGIApp:
    decode = QueryDecoder(query_type).decode
    read = None if body_type is None else BodyDecoder(body_type).read

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        parameters = decode(scope["query_string"])  # first: a body need not be read for a wrong query
        bodies = () if read is None else (await read(request),)
        answer = await handler(request, *bodies, parameters)
        await send_answer(answer, status, scope, receive, send)

    return app


def _check_handler(
    handler: Callable[..., Awaitable[Any]], path: str, *, reads_body: bool, reads_query: bool
) -> None:
    where = f"the handler of {path}, {getattr(handler, '__qualname__', handler)!s},"
    if not inspect.iscoroutinefunction(handler):
        raise TypeError(f"{where} must be an async function")
    takes = ["the request", *["the body"] * reads_body, *["the query"] * reads_query]
    try:
        inspect.signature(handler).bind(*takes)
    except TypeError as error:
        raise TypeError(f"{where} must take {_listed(takes)}") from error


def _listed(takes: Sequence[str]) -> str:
    if len(takes) == 1:
        return f"{takes[0]} only: no body= or query= is declared"
    return f"{', '.join(takes[:-1])} and {takes[-1]}"
