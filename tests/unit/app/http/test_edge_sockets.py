"""The edge around sockets: the same words as for requests, until the handshake is answered."""

import logging

import pytest
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.access import access_session_or_none
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.routing import Router
from app.http.settings import HttpSettings
from orm.errors import Conflict, Unavailable
from tests.support.asgi import shake_hands
from tests.support.fake_environment import FakeEnvironment


def edge(env: FakeEnvironment | None = None) -> Edge:
    public, private = Router(prefix="/ws"), Router(prefix="/ws")

    @public.websocket("/who")
    async def who(socket: WebSocket) -> None:
        session = access_session_or_none()
        await socket.accept(subprotocol="starling.v1", headers=[(b"x-own", b"1")])
        await socket.send_text("nobody" if session is None else session.login)
        await socket.close(1000)

    @public.websocket("/listen")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()

    @public.websocket("/refuse")
    async def refuse(socket: WebSocket) -> None:
        await socket.close(4403)

    @public.websocket("/fail/{when}/{how}")
    async def fail(socket: WebSocket) -> None:
        when, how = socket.path_params["when"], socket.path_params["how"]
        if when != "before":
            await socket.accept()
        if when == "closed":
            await socket.close(1000)
        raise {"conflict": Conflict("taken"), "away": Unavailable("away"), "bug": RuntimeError("secret")}[how]

    @private.websocket("/private")
    async def of_the_signed_in(socket: WebSocket) -> None:
        await socket.accept()

    dispatcher = Dispatcher()
    dispatcher.include(public, private=False, module="m")
    dispatcher.include(private, private=True, module="m")
    return Edge(dispatcher, env=env or FakeEnvironment())


@pytest.mark.parametrize(
    ("header", "login"),
    [
        (None, "nobody"),
        ("Bearer ada", "ada"),
        ("Bearer bob", "bob"),
        ("Bearer x", "nobody"),
        ("Basic x", "nobody"),
    ],
)
async def test_a_socket_knows_who_asks_and_a_bad_header_does_not_break_it(
    header: str | None, login: str
) -> None:
    answered = await shake_hands(edge(), "/ws/who", headers=[("authorization", header)] if header else [])
    assert answered.status == 101
    assert [message["text"] for message in answered.messages if message["type"] == "websocket.send"] == [
        login
    ]


async def test_an_accepted_handshake_has_our_headers_and_its_own() -> None:
    answered = await shake_hands(edge(), "/ws/who", headers=[("x-request-id", "mine")])
    assert answered.headers == {
        "x-own": "1",
        "x-request-id": "mine",
        "x-worker": "w0rker",
        "x-content-type-options": "nosniff",
    }
    assert answered.messages[0]["subprotocol"] == "starling.v1"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/ws/nothing", 404, "not_found"),
        ("/ws/private", 401, "unauthenticated"),
        ("/ws/refuse", 403, "denied"),
        ("/ws/fail/before/conflict", 409, "conflict"),
        ("/ws/fail/before/bug", 500, "internal"),
    ],
)
async def test_a_refused_handshake_is_a_problem_like_any_other(path: str, status: int, code: str) -> None:
    answered = await shake_hands(edge(), path)
    assert (answered.status, answered.json()["type"]) == (status, f"urn:starling:{code}")
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.headers["x-request-id"] == answered.json()["instance"]
    assert answered.headers["x-worker"] == "w0rker"
    assert b"secret" not in answered.body


async def test_a_server_that_cannot_send_a_body_refuses_by_closing() -> None:
    answered = await shake_hands(edge(), "/ws/nothing", can_refuse=False)
    assert [message["type"] for message in answered.messages] == ["websocket.close"]


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [("conflict", 1011, "conflict"), ("away", 1011, "unavailable"), ("bug", 1011, "internal")],
)
async def test_a_socket_that_fails_is_closed_and_logged(
    how: str, code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    answered = await shake_hands(edge(), f"/ws/fail/after/{how}")
    assert answered.status == 101
    assert answered.messages[-1] == {"type": "websocket.close", "code": code, "reason": reason}
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)


async def test_a_socket_that_was_closed_already_is_not_closed_again() -> None:
    answered = await shake_hands(edge(), "/ws/fail/closed/bug")
    assert [message["type"] for message in answered.messages] == ["websocket.accept", "websocket.close"]


async def test_a_client_that_leaves_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    answered = await shake_hands(edge(), "/ws/listen")
    assert [message["type"] for message in answered.messages] == ["websocket.accept"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_until_the_start_is_over_no_socket_opens() -> None:
    env = FakeEnvironment()
    env.is_ready = False
    answered = await shake_hands(edge(env), "/ws/who")
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")


async def test_an_unlisted_host_gets_no_socket() -> None:
    env = FakeEnvironment(HttpSettings(allowed_hosts=("here.example",)))
    assert (await shake_hands(edge(env), "/ws/who", headers=[("host", "evil.example")])).status == 400
    assert (await shake_hands(edge(env), "/ws/who", headers=[("host", "here.example")])).status == 101


async def test_a_raw_application_may_end_with_the_disconnect_it_got() -> None:
    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise WebSocketDisconnect(1006)

    answered = await shake_hands(Edge(raw, env=FakeEnvironment()), "/ws")
    sent: list[Message] = answered.messages
    assert [message["type"] for message in sent] == ["websocket.accept"]
