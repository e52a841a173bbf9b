"""Who asks, what for, what comes back: the edge around a dispatcher, as a table, and beyond."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app.core.access import access_session, access_session_or_none
from app.core.errors import TooManyRequests
from app.core.request_context import request_id
from app.http.answers import BrokenAnswerError
from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.health import health_router
from app.http.query import query
from app.http.routing import Router
from app.http.settings import HttpSettings
from orm.access import system
from orm.context import current, current_or_none
from orm.errors import AccessDenied, Conflict, DatabaseUnavailable, RecordNotFound, StatementTimeout
from tests.support.asgi import Answered, Client, call, http_scope
from tests.support.fake_environment import FakeEnvironment

PAGE = "https://app.example"
ADA = ("authorization", "Bearer ada")
BOB = ("authorization", "Bearer bob")
JSON = ("content-type", "application/json")


class NewThing(Body):
    name: str
    count: int = 0


class Page(msgspec.Struct):
    limit: int = 50


RAISED = {
    "denied": AccessDenied("not yours"),
    "conflict": Conflict("taken"),
    "row": RecordNotFound("no such row"),
    "away": DatabaseUnavailable("away", retry_after_seconds=3),
    "slow": StatementTimeout("too slow"),
    "often": TooManyRequests("slow down", retry_after_seconds=9),
    "bug": RuntimeError("SELECT secret FROM users"),
    "teapot": HTTPException(418, detail="short and stout"),
}


def routes() -> Dispatcher:
    public, private = Router(), Router()

    @public.get("/who")
    async def who(request: Request) -> str:
        session = access_session_or_none()
        return "nobody" if session is None else session.login

    @public.get("/raise/{what}")
    async def raise_it(request: Request) -> None:
        raise RAISED[request.path_params["what"]]

    @public.get("/page")
    async def page(request: Request) -> Page:
        return query(request, Page)

    @public.get("/seen")
    async def seen(request: Request) -> dict[str, str]:
        assert request.client is not None
        return {"client": request.client.host, "scheme": request.url.scheme}

    @private.get("/me")
    async def me(request: Request) -> str:
        return access_session().login

    @private.post("/things", body=NewThing, status=201)
    async def make(request: Request, body: NewThing) -> NewThing:
        return body

    dispatcher = Dispatcher()
    dispatcher.include(public, private=False, module="m")
    dispatcher.include(private, private=True, module="m")
    return dispatcher


def edge(env: FakeEnvironment | None = None, **http: object) -> Edge:
    env = env or FakeEnvironment(HttpSettings(**http))  # type: ignore[arg-type]
    dispatcher = routes()
    dispatcher.include(health_router(env), private=False, module="app")
    return Edge(dispatcher, env=env)


def assert_has_the_headers_of_every_answer(answered: Answered) -> None:
    assert answered.headers["x-worker"] == "w0rker"
    assert answered.headers["x-request-id"]
    assert answered.headers["x-content-type-options"] == "nosniff"


LONG = b'{"name": "' + b"x" * 2000 + b'"}'

CASES: list[tuple[Any, ...]] = [
    # what, method, path, headers, body, status, must contain, must not contain
    ("a public route", "GET", "/who", [], b"", 200, ['"nobody"'], []),
    ("a remembered token", "GET", "/who", [ADA], b"", 200, ['"ada"'], []),
    ("a token to be verified", "GET", "/who", [BOB], b"", 200, ['"bob"'], []),
    (
        "a bad token on a public route",
        "GET",
        "/who",
        [("authorization", "Bearer x")],
        b"",
        200,
        ["nobody"],
        [],
    ),
    (
        "another scheme on a public route",
        "GET",
        "/who",
        [("authorization", "Basic x")],
        b"",
        200,
        ["nobody"],
        [],
    ),
    ("a private route", "GET", "/me", [ADA], b"", 200, ['"ada"'], []),
    ("no token", "GET", "/me", [], b"", 401, [":unauthenticated", "Sign in first"], []),
    (
        "a bad token",
        "GET",
        "/me",
        [("authorization", "Bearer x")],
        b"",
        401,
        [":unauthenticated", "not valid"],
        [],
    ),
    ("another scheme", "GET", "/me", [("authorization", "Basic x")], b"", 401, ["must read: Bearer"], []),
    ("two tokens", "GET", "/me", [ADA, BOB], b"", 401, ["must read: Bearer"], ["ada"]),
    ("an unknown path", "GET", "/nothing", [ADA], b"", 404, [":not_found"], []),
    ("an unknown path, nobody", "GET", "/nothing", [], b"", 404, [":not_found"], []),
    ("a slash too many", "GET", "/who/", [], b"", 404, [":not_found"], []),
    ("another method", "DELETE", "/who", [], b"", 405, [":method_not_allowed"], []),
    ("a body", "POST", "/things", [ADA, JSON], b'{"name": "n"}', 201, ['{"name":"n","count":0}'], []),
    ("a body, nobody", "POST", "/things", [JSON], b'{"name": "n"}', 401, [":unauthenticated"], []),
    ("no content type", "POST", "/things", [ADA], b'{"name": "n"}', 415, [":unsupported_media_type"], []),
    ("no JSON", "POST", "/things", [ADA, JSON], b"{", 400, [":malformed"], []),
    ("no body", "POST", "/things", [ADA, JSON], b"", 400, [":malformed"], []),
    (
        "a body that does not fit",
        "POST",
        "/things",
        [ADA, JSON],
        b'{"count": "x", "more": 1}',
        422,
        [":invalid", '"/name"', '"/count"', '"/more"'],
        [],
    ),
    (
        "too long a body",
        "POST",
        "/things",
        [ADA, JSON, ("content-length", "2012")],
        LONG,
        413,
        [":too_large"],
        [],
    ),
    (
        "too long a body, chunked",
        "POST",
        "/things",
        [ADA, JSON, ("transfer-encoding", "chunked")],
        LONG,
        413,
        [],
        [],
    ),
    (
        "a length that is none",
        "POST",
        "/things",
        [ADA, JSON, ("content-length", "x")],
        b"",
        400,
        [":malformed"],
        [],
    ),
    ("two lengths", "POST", "/who", [("content-length", "1"), ("content-length", "2")], b"", 400, [], []),
    ("a known row, no right", "GET", "/raise/denied", [], b"", 403, [":denied", "not yours"], []),
    ("a conflict", "GET", "/raise/conflict", [], b"", 409, [":conflict"], []),
    ("no such row", "GET", "/raise/row", [], b"", 404, [":not_found", "no such row"], []),
    ("a database that is away", "GET", "/raise/away", [], b"", 503, [":unavailable"], []),
    ("a slow database", "GET", "/raise/slow", [], b"", 504, [":database_timeout"], []),
    ("too many", "GET", "/raise/often", [], b"", 429, [":too_many_requests"], []),
    (
        "a bug",
        "GET",
        "/raise/bug",
        [],
        b"",
        500,
        [":internal", "went wrong"],
        ["SELECT", "secret", "Runtime"],
    ),
    ("an exception of starlette", "GET", "/raise/teapot", [], b"", 418, ["im_a_teapot", "stout"], []),
    ("a wrong query", "GET", "/page", [], b"", 422, ['"/query/limit"', '"/query/x"'], []),
    ("an unlisted host", "GET", "/who", [("host", "evil.example")], b"", 400, [":malformed"], ["nobody"]),
    ("liveness", "GET", "/health/live", [], b"", 200, ["ok"], []),
]


@pytest.mark.parametrize("case", [pytest.param(case[1:], id=case[0]) for case in CASES])
async def test_every_answer_has_one_status_one_shape_and_our_headers(case: tuple[Any, ...]) -> None:
    method, path, headers, body, status, must, must_not = case
    asked = headers if any(name == "host" for name, _ in headers) else [("host", "here.example"), *headers]
    served = edge(max_body_bytes=2000, allowed_hosts=("here.example",))
    limit = "limit=x&x=1" if path == "/page" else ""
    answered = await call(served, method, path, body, headers=asked, query=limit)
    assert answered.status == status
    assert_has_the_headers_of_every_answer(answered)
    assert answered.is_complete
    text = answered.body.decode()
    assert [part for part in must if part not in text] == []
    assert [part for part in must_not if part in text] == []
    if status >= 400:
        shown = answered.json()
        assert answered.headers["content-type"] == "application/problem+json"
        assert set(shown) == {"type", "title", "status", "detail", "instance", "errors"}
        assert (shown["status"], shown["instance"]) == (status, answered.headers["x-request-id"])
    assert ("www-authenticate" in answered.headers) == (status == 401)
    assert ("retry-after" in answered.headers) == (status in (429, 503))
    assert ("allow" in answered.headers) == (status == 405)
    assert (answered.headers.get("connection") == "close") == (status == 413)


async def test_a_sane_request_id_comes_back_and_a_fresh_one_replaces_any_other() -> None:
    kept = await call(edge(), "GET", "/nothing", headers=[("x-request-id", "trace-1.a_B")])
    assert kept.headers["x-request-id"] == kept.json()["instance"] == "trace-1.a_B"
    replaced = await call(edge(), "GET", "/nothing", headers=[("x-request-id", "a b\x00")])
    assert replaced.headers["x-request-id"] == replaced.json()["instance"] != "a b\x00"


async def test_head_gets_what_get_gets_without_the_body() -> None:
    for path in ("/who", "/nothing", "/me"):
        get, head = await call(edge(), "GET", path), await call(edge(), "HEAD", path)
        assert head.status == get.status
        assert head.headers["content-length"] == get.headers["content-length"]
        assert head.body == b""
        assert head.is_complete


async def test_health_checks_answer_whatever_host_they_name() -> None:
    served = edge(allowed_hosts=("here.example",))
    headers = [("host", "127.0.0.1:8000")]
    assert (await call(served, "GET", "/health/live", headers=headers)).status == 200
    assert (await call(served, "GET", "/who", headers=headers)).status == 400


async def test_until_the_start_is_over_only_health_answers() -> None:
    env = FakeEnvironment()
    env.is_ready = False
    served = edge(env)
    for path in ("/who", "/me", "/nothing", "/healthy"):
        answered = await call(served, "GET", path, headers=[ADA])
        assert (answered.status, answered.headers["retry-after"]) == (503, "1")
        assert_has_the_headers_of_every_answer(answered)
    assert (await call(served, "GET", "/health/live")).status == 200
    env.is_ready = True
    assert (await call(served, "GET", "/who")).status == 200


async def test_a_token_is_refused_as_long_as_nobody_can_verify_it() -> None:
    env = FakeEnvironment()
    env.authenticator = None
    served = edge(env)
    assert (await call(served, "GET", "/me", headers=[ADA])).status == 401
    assert (await call(served, "GET", "/who", headers=[ADA])).json() == "nobody"
    env.authenticator = env.fake_authenticator
    assert (await call(served, "GET", "/me", headers=[ADA])).json() == "ada"
    assert env.fake_authenticator.asked == []


async def test_a_database_that_is_away_while_a_token_is_verified_is_no_401() -> None:
    env = FakeEnvironment()

    async def verify_access(token: str) -> None:
        raise DatabaseUnavailable("The database is away.", retry_after_seconds=2)

    env.fake_authenticator.verify_access = verify_access  # type: ignore[method-assign, assignment]
    answered = await call(edge(env), "GET", "/me", headers=[BOB])
    assert (answered.status, answered.headers["retry-after"]) == (503, "2")


async def test_a_bug_in_the_authenticator_is_not_taken_for_a_bad_token() -> None:
    env = FakeEnvironment()

    async def verify_access(token: str) -> None:
        raise KeyError(token)

    env.fake_authenticator.verify_access = verify_access  # type: ignore[method-assign, assignment]
    assert (await call(edge(env), "GET", "/who", headers=[BOB])).status == 500


async def test_a_page_of_a_listed_origin_may_call() -> None:
    served = edge(cors_origins=(PAGE,))
    for path, status in (("/who", 200), ("/me", 401), ("/nothing", 404), ("/raise/bug", 500)):
        answered = await call(served, "GET", path, headers=[("origin", PAGE)])
        assert answered.status == status
        assert answered.headers["access-control-allow-origin"] == PAGE
        assert answered.headers["vary"] == "Origin"
        assert "x-request-id" in answered.headers["access-control-expose-headers"].lower()
        assert "access-control-allow-credentials" not in answered.headers


async def test_a_preflight_is_answered_also_before_the_start_is_over() -> None:
    env = FakeEnvironment(HttpSettings(cors_origins=(PAGE,)))
    env.is_ready = False
    asked = [("origin", PAGE), ("access-control-request-method", "PATCH")]
    answered = await call(edge(env), "OPTIONS", "/things", headers=asked)
    assert (answered.status, answered.body) == (204, b"")
    assert "PATCH" in answered.headers["access-control-allow-methods"]
    assert "Authorization" in answered.headers["access-control-allow-headers"]
    assert answered.headers["access-control-max-age"] == "600"
    assert answered.headers["access-control-allow-origin"] == PAGE
    assert_has_the_headers_of_every_answer(answered)


@pytest.mark.parametrize("origins", [(), (PAGE,)])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_a_page_of_another_origin_is_told_nothing(origins: tuple[str, ...], method: str) -> None:
    asked = [("origin", "https://evil.example"), ("access-control-request-method", "GET")]
    answered = await call(edge(cors_origins=origins), method, "/who", headers=asked)
    assert answered.status == (200 if method == "GET" else 405)
    assert [name for name in answered.headers if name.startswith("access-control")] == []


async def test_forwarded_addresses_are_believed_from_trusted_proxies_only() -> None:
    forwarded = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")]
    served = edge(trusted_proxies=("10.0.0.0/8",))
    proxied = await call(served, "GET", "/seen", headers=forwarded, client="10.1.2.3")
    assert proxied.json() == {"client": "198.51.100.7", "scheme": "https"}
    direct = await call(served, "GET", "/seen", headers=forwarded, client="203.0.113.9")
    assert direct.json() == {"client": "203.0.113.9", "scheme": "http"}
    assert (await call(edge(), "GET", "/seen", headers=forwarded, client="10.1.2.3")).json()[
        "scheme"
    ] == "http"


async def test_a_body_over_the_limit_is_answered_before_it_is_read() -> None:
    far_end = Client(b"x" * 1000, b"x" * 1000, b"x" * 1000)
    scope = http_scope("POST", "/things", headers=[ADA, JSON, ("content-length", "3000")])
    seen_at_answer: list[Message] = []

    async def receive() -> Message:
        seen_at_answer.extend(message for message in far_end.sent if message not in seen_at_answer)
        return await far_end.receive()

    await edge(max_body_bytes=2000)(scope, receive, far_end.send)
    # The whole problem was on its way before the first piece was read and dropped.
    assert [message["type"] for message in seen_at_answer] == ["http.response.start", "http.response.body"]
    answered = far_end.answered()
    assert (answered.status, answered.is_complete) == (413, True)
    assert answered.json()["type"] == "urn:starling:too_large"


async def test_only_our_own_faults_are_logged_as_errors(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for what in RAISED:
            await call(edge(), "GET", f"/raise/{what}")
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(errors) == 1
    assert errors[0].exc_info is not None
    assert errors[0].exc_info[1] is RAISED["bug"]


async def test_an_answer_that_fails_half_way_breaks_off_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one,"
        raise StatementTimeout("too slow")

    async def export(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(pieces())(scope, receive, send)

    far_end = Client()
    with pytest.raises(BrokenAnswerError):
        await Edge(export, env=FakeEnvironment())(http_scope("GET", "/export"), far_end.receive, far_end.send)
    answered = far_end.answered()
    assert (answered.status, answered.body, answered.is_complete) == (200, b"one,", False)
    assert any(record.exc_info for record in caplog.records)


async def test_a_route_that_does_not_answer_is_an_internal_error(caplog: pytest.LogCaptureFixture) -> None:
    async def forgets(scope: Scope, receive: Receive, send: Send) -> None:
        return

    answered = await call(Edge(forgets, env=FakeEnvironment()), "GET", "/x")
    assert answered.status == 500
    assert "returned without an answer" in caplog.text


async def test_an_answer_made_once_and_sent_often_does_not_grow() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}

    async def constant(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body"})

    served = Edge(constant, env=FakeEnvironment())
    for _ in range(3):
        answered = await call(served, "GET", "/")
        assert len(answered.messages[0]["headers"]) == 4
    assert start["headers"] == [(b"content-length", b"0")]


async def test_a_request_is_bound_to_its_environment_and_to_nobody_else() -> None:
    env = FakeEnvironment()
    bound: list[object] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        bound.extend([current(), access_session_or_none(), request_id.get()])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    served = Edge(look, env=env)
    with system():  # as if the server had been started from within such a block
        await call(served, "GET", "/", headers=[("x-request-id", "mine")])
    assert bound == [env, None, "mine"]
    assert (current_or_none(), access_session_or_none(), request_id.get()) == (None, None, None)


async def test_the_lifespan_passes_through_untouched() -> None:
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    far_end = Client()
    await Edge(app, env=FakeEnvironment())({"type": "lifespan"}, far_end.receive, far_end.send)
    assert passed == ["lifespan"]
