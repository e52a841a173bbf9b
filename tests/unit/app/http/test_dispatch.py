from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.routing import Router as StarletteRouter
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.core.errors import MethodNotAllowed, NotFound, StartError, Unauthenticated
from app.http.access_log import TEMPLATE
from app.http.bodies import Request
from app.http.dispatch import AUTH_FAILURE, Dispatcher, route_path
from app.http.replies import send_json
from app.http.routing import Router
from orm.errors import Problem, RecordNotFound
from tests.support.asgi import Client, call, http_scope, shake_hands

ADA = AccessSession(user_id=1, login="ada", name="Ada")


class Generated:
    """Stands for auto CRUD: knows GET and POST of /api/partners, and raises for anything else."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/api/gone":
            raise RecordNotFound("no such row")
        if scope["path"] != "/api/partners":
            raise NotFound("There is no such model.")
        if scope["method"] not in ("GET", "POST"):
            raise MethodNotAllowed("Use /partners.", allowed=["GET", "POST"])
        await send_json(send, 200, b'"generated"')


def dispatcher() -> Dispatcher:
    private, public = Router(), Router()

    @private.get("/me")
    async def me(request: Request) -> str:
        return "me"

    @private.post("/api/partners")
    async def make(request: Request) -> str:
        return "by hand"

    @private.delete("/api/reports")
    async def drop(request: Request) -> str:
        return "dropped"

    @public.get("/hello/{name}")
    async def hello(request: Request) -> str:
        return str(request.url_for("hello", name="you"))

    @public.websocket("/ws")
    async def serve(socket: WebSocket) -> None:
        await socket.accept()

    made = Dispatcher()
    made.include(private, private=True, module="users")
    made.include(public, private=False, module="greetings")
    made.mount("api", Generated())
    return made


@pytest.fixture
def signed_in() -> Iterator[AccessSession]:
    token = set_access_session(ADA)
    yield ADA
    reset_access_session(token)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/me", "me"),
        ("POST", "/api/partners", "by hand"),
        ("GET", "/api/partners", "generated"),
        ("DELETE", "/api/reports", "dropped"),
    ],
)
async def test_a_hand_written_route_wins_when_path_and_method_are_its_own(
    method: str, path: str, answer: str, signed_in: AccessSession
) -> None:
    assert (await call(dispatcher(), method, path)).json() == answer


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/me", ["GET", "HEAD"]),
        ("DELETE", "/api/partners", ["GET", "POST"]),
        # a path that only hand-written routes know, though something is mounted above it
        ("GET", "/api/reports", ["DELETE"]),
        ("OPTIONS", "/hello/x", ["GET", "HEAD"]),
    ],
)
async def test_a_known_path_with_another_method_names_all_that_it_has(
    method: str, path: str, allowed: list[str], signed_in: AccessSession
) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        await call(dispatcher(), method, path)
    assert list(refused.value.allowed) == allowed


@pytest.mark.parametrize("path", ["/nothing", "/me/", "/", "/api/nothing", "/hello/a/b", "/ws", "/apis"])
async def test_an_unknown_path_is_not_found(path: str, signed_in: AccessSession) -> None:
    with pytest.raises(NotFound):
        await call(dispatcher(), "GET", path)


@pytest.mark.parametrize(
    ("method", "path", "problem", "sentence"),
    [
        ("DELETE", "/api/partners", MethodNotAllowed, "Use /partners."),
        ("GET", "/api/nothing", NotFound, "There is no such model."),
        ("GET", "/api/reports", MethodNotAllowed, "This path answers DELETE."),
        ("GET", "/nothing", NotFound, "There is nothing at this path."),
    ],
)
async def test_what_the_mounted_application_says_is_passed_on_where_it_is_true(
    method: str, path: str, problem: type[Problem], sentence: str, signed_in: AccessSession
) -> None:
    with pytest.raises(problem) as refused:
        await call(dispatcher(), method, path)
    assert refused.value.detail == sentence


async def test_a_row_that_is_not_found_stays_what_it_is(signed_in: AccessSession) -> None:
    with pytest.raises(RecordNotFound, match="no such row"):
        await call(dispatcher(), "GET", "/api/gone")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("POST", "/api/partners"), ("GET", "/api/partners"), ("GET", "/api/x")],
)
async def test_nobody_gets_into_what_is_private(method: str, path: str) -> None:
    with pytest.raises(Unauthenticated, match="Sign in first"):
        await call(dispatcher(), method, path)


async def test_a_private_route_says_what_was_wrong_with_the_token() -> None:
    scope = http_scope("GET", "/me")
    scope[AUTH_FAILURE] = Unauthenticated("This token has expired.")
    with pytest.raises(Unauthenticated, match="has expired"):
        await dispatcher()(scope, Client().receive, Client().send)


async def test_anybody_may_use_what_is_public() -> None:
    assert (await call(dispatcher(), "GET", "/hello/me")).status == 200


async def test_a_socket_finds_its_route_and_nothing_else() -> None:
    assert (await shake_hands(dispatcher(), "/ws")).status == 101
    with pytest.raises(NotFound):
        await shake_hands(dispatcher(), "/hello/x")
    with pytest.raises(NotFound):
        await shake_hands(dispatcher(), "/nothing")


async def test_the_template_is_left_for_the_log() -> None:
    scope = http_scope("GET", "/hello/x")
    await dispatcher()(scope, Client().receive, Client().send)
    assert scope[TEMPLATE] == "/hello/{name}"


async def test_routers_of_starlette_are_taken_in_too_and_can_be_private() -> None:
    async def plain(request: StarletteRequest) -> Response:
        return PlainTextResponse(request.path_params["name"])

    made = Dispatcher()
    made.include(StarletteRouter([Route("/plain/{name}", plain)]), private=True, module="plain")
    with pytest.raises(Unauthenticated):
        await call(made, "GET", "/plain/x")
    token = set_access_session(ADA)
    try:
        assert (await call(made, "GET", "/plain/x")).body == b"x"
    finally:
        reset_access_session(token)


def test_the_application_knows_all_routes_and_their_modules() -> None:
    app = Starlette()
    made = Dispatcher(app.router)
    router = Router()

    @router.get("/a/{id:int}")
    async def a(request: Request) -> None: ...

    made.include(router, private=True, module="m")
    assert app.routes == router.routes
    assert app.url_path_for("a", id=1) == "/a/1"
    assert [(target.template, target.module, target.is_private) for target in made.targets] == [
        ("/a/{id:int}", "m", True)
    ]


async def test_a_handler_can_make_urls() -> None:
    app = Starlette()
    made = Dispatcher(app.router)
    router = Router()

    @router.get("/hello/{name}")
    async def hello(request: Request) -> str:
        return str(request.url_for("hello", name="you"))

    made.include(router, private=False, module="m")
    answered = await call(made, "GET", "/hello/me", headers=[("host", "example.com")])
    assert answered.json() == "http://example.com/hello/you"


async def test_the_lifespan_is_the_application_s_own() -> None:
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return incoming.pop(0)

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    await Dispatcher(Starlette().router)({"type": "lifespan", "state": {}}, receive, send)  # type: ignore[arg-type]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    ("root", "path", "below"),
    [("", "/a", "/a"), ("/root", "/root/a", "/a"), ("/root", "/rooted", "/rooted"), ("/root", "/a", "/a")],
)
def test_the_path_below_a_server_s_root_path_counts(root: str, path: str, below: str) -> None:
    assert route_path({"path": path, "root_path": root}) == below


async def test_a_route_below_a_root_path_is_found() -> None:
    scope = {**http_scope("GET", "/root/hello/x"), "root_path": "/root"}
    far_end = Client()
    await dispatcher()(scope, far_end.receive, far_end.send)
    assert far_end.answered().status == 200


def test_what_cannot_be_taken_in_stops_the_start() -> None:
    made = dispatcher()
    with pytest.raises(StartError, match="two applications are mounted on /api"):
        made.mount("api", Generated())
    with pytest.raises(StartError, match="a router of module odd is a list"):
        made.include([], private=False, module="odd")  # type: ignore[arg-type]
