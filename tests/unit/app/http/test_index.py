import sys

import pytest
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.core.errors import StartError
from app.http.index import WEBSOCKET, RouteIndex
from tests.support.asgi import http_scope, socket_scope


async def answer(request: Request) -> Response:
    return PlainTextResponse("")


async def serve(socket: WebSocket) -> None:
    await socket.accept()


class Endpoint(HTTPEndpoint):
    """Answers every method itself."""


def index_of(*declared: str) -> RouteIndex:
    index = RouteIndex()
    for line in declared:
        method, path = line.split(" ")
        route = WebSocketRoute(path, serve) if method == WEBSOCKET else Route(path, answer, methods=[method])
        index.add(route, is_private=False, module="m")
    return index


def found(index: RouteIndex, method: str, path: str) -> tuple[str, dict[str, object]] | None:
    scope = socket_scope(path) if method == WEBSOCKET else http_scope(method, path)
    result = index.find(path, method, scope)
    return None if result is None else (result[0].template, result[1]["path_params"])


MANY = index_of(
    "GET /",
    "GET /chats",
    "POST /chats",
    "GET /chats/{name}",
    "GET /chats/search",
    "DELETE /chats/{id:int}",
    "GET /chats/{id:int}",
    "PATCH /chats/{other:int}",
    "POST /chats/{id:int}/messages/{mid:int}/pin",
    "GET /chats/{name:str}/about",
    "GET /files/{rest:path}",
    "GET /files/list",
    "GET /reports/{id:int}.json",
    "GET /prices/{price:float}",
    "GET /{first}/{second}/{third}",
    "WEBSOCKET /ws/chat",
    "WEBSOCKET /ws/{room}",
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", ("/", {})),
        ("HEAD", "/chats", ("/chats", {})),
        ("POST", "/chats", ("/chats", {})),
        ("GET", "/chats/7", ("/chats/{id:int}", {"id": 7})),
        ("DELETE", "/chats/7", ("/chats/{id:int}", {"id": 7})),
        ("PATCH", "/chats/7", ("/chats/{other:int}", {"other": 7})),
        ("GET", "/chats/search", ("/chats/search", {})),
        ("GET", "/chats/seven", ("/chats/{name}", {"name": "seven"})),
        ("GET", "/chats/-7", ("/chats/{name}", {"name": "-7"})),
        ("GET", "/chats/٣", ("/chats/{name}", {"name": "٣"})),
        ("GET", "/chats/²", ("/chats/{name}", {"name": "²"})),
        ("DELETE", "/chats/9223372036854775807", ("/chats/{id:int}", {"id": 9223372036854775807})),
        ("DELETE", "/chats/9223372036854775808", None),
        ("DELETE", "/chats/" + "9" * 5000, None),
        ("DELETE", "/chats/seven", None),
        (
            "POST",
            "/chats/1/messages/2/pin",
            ("/chats/{id:int}/messages/{mid:int}/pin", {"id": 1, "mid": 2}),
        ),
        # the number's branch leads nowhere from here: the text's does
        ("GET", "/chats/1/about", ("/chats/{name:str}/about", {"name": "1"})),
        (
            "GET",
            "/chats/1/messages",
            ("/{first}/{second}/{third}", {"first": "chats", "second": "1", "third": "messages"}),
        ),
        ("GET", "/files/list", ("/files/list", {})),
        ("GET", "/files/a/b/c/d/e/f/g", ("/files/{rest:path}", {"rest": "a/b/c/d/e/f/g"})),
        ("GET", "/reports/7.json", ("/reports/{id:int}.json", {"id": 7})),
        ("GET", "/reports/9223372036854775808.json", None),
        ("GET", "/prices/1.5", ("/prices/{price:float}", {"price": 1.5})),
        ("WEBSOCKET", "/ws/chat", ("/ws/chat", {})),
        ("WEBSOCKET", "/ws/other", ("/ws/{room}", {"room": "other"})),
        ("GET", "/ws/chat", None),
        ("WEBSOCKET", "/chats", None),
        ("GET", "/chats/", None),
        ("GET", "/chats/7/", None),
        ("GET", "//chats", None),
        ("GET", "/a//c", None),
        ("GET", "/nothing", None),
        ("GET", "", None),
        ("GET", "*", None),
        ("GET", "/" * 10_000, None),
        ("PUT", "/chats", None),
    ],
)
def test_a_path_and_a_method_name_one_route(
    method: str, path: str, expected: tuple[str, dict[str, object]] | None
) -> None:
    assert found(MANY, method, path) == expected


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/chats", ["GET", "HEAD", "POST"]),
        # of all routes that the path fits
        ("/chats/7", ["DELETE", "GET", "HEAD", "PATCH"]),
        ("/chats/seven", ["GET", "HEAD"]),
        ("/files/x/y", ["GET", "HEAD"]),
        ("/reports/7.json", ["GET", "HEAD"]),
        ("/ws/chat", []),
        ("/nothing", []),
        ("/chats/", []),
    ],
)
def test_the_methods_of_a_path_are_those_of_all_its_routes(path: str, methods: list[str]) -> None:
    assert MANY.methods(path, http_scope("GET", path)) == methods


def test_the_order_of_declaration_does_not_matter() -> None:
    for declared in (
        ["GET /a/{x}", "GET /a/{n:int}", "GET /a/b"],
        ["GET /a/b", "GET /a/{n:int}", "GET /a/{x}"],
    ):
        index = index_of(*declared)
        assert found(index, "GET", "/a/b") == ("/a/b", {})
        assert found(index, "GET", "/a/1") == ("/a/{n:int}", {"n": 1})
        assert found(index, "GET", "/a/c") == ("/a/{x}", {"x": "c"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /a", "GET /a"),
        ("GET /a/{x}", "GET /a/{y}"),
        ("GET /a/{x:int}/b", "GET /a/{id:int}/b"),
        ("WEBSOCKET /a", "WEBSOCKET /a"),
    ],
)
def test_two_routes_for_the_same_stop_the_start_and_are_both_named(first: str, second: str) -> None:
    index = index_of(first)
    method, path = second.split(" ")
    route = WebSocketRoute(path, serve) if method == WEBSOCKET else Route(path, answer, methods=[method])
    with pytest.raises(StartError, match=r"module m and one of module other"):
        index.add(route, is_private=False, module="other")


def test_a_mount_is_tried_after_the_routes_beside_it() -> None:
    index = index_of("GET /static/version")
    index.add(Mount("/static", app=answer), is_private=False, module="m")  # type: ignore[arg-type]
    assert found(index, "GET", "/static/version") == ("/static/version", {})
    target, child_scope = index.find("/static/a/b.js", "GET", http_scope("GET", "/static/a/b.js")) or (
        None,
        {},
    )
    assert target is not None
    assert isinstance(target.route, Mount)
    assert child_scope["root_path"] == "/static"


def test_an_endpoint_without_methods_answers_all_but_sockets() -> None:
    index = RouteIndex()
    index.add(Route("/a", Endpoint), is_private=False, module="m")
    assert found(index, "PROPFIND", "/a") == ("/a", {})
    assert found(index, WEBSOCKET, "/a") is None


def test_looking_up_does_not_take_longer_with_more_routes() -> None:
    def looked_at(routes: int) -> int:
        index = index_of(*(f"GET /r{number}/{{id:int}}" for number in range(routes)))
        calls = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            index.find(f"/r{routes - 1}/7", "GET", {})
        finally:
            sys.setprofile(None)
        return calls

    assert looked_at(1000) == looked_at(10)
