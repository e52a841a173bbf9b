"""One request and its answer on the httptools connection: what is written, in how many pieces, and when."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from app.http.settings import HttpSettings
from app.server.protocols.connection import LINGER_SECONDS
from app.server.protocols.cycle import JOINED_BYTES
from app.server.protocols.guard import Guard, GuardedConfig
from app.server.protocols.web_socket import SocketProtocol
from app.server.protocols.with_httptools import MOST_WAITING, HttptoolsConnection

GET = b"GET /things/1?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Line(asyncio.Transport):
    """The client's end: `written` are the pieces that came, a list for those that came in one call.

    `when_asked` stands for the look at a buffer which asyncio has forgotten to take while it filled."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.9", 4711), "sockname": ("127.0.0.1", 8000)})
        self.written: list[bytes] = []
        self.is_closed = False
        self.is_half_closed = False
        self.is_reading_paused = False
        self.when_asked: Callable[[], None] = lambda: None

    def write(self, data: Any) -> None:
        assert not self.is_closed
        assert not self.is_half_closed
        self.written.append(bytes(data))

    def writelines(self, pieces: Any) -> None:
        self.written.append(b"|".join(pieces))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.when_asked()

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_half_closed = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """It became a WebSocket."""


class Timers:
    """The running loop, but for its time, which stands still, and for timers, which `turn_to` lets go off."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = 0.0
        self.set: list[tuple[float, asyncio.TimerHandle]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now + delay, callback, args, self._loop)
        self.set.append((self.now + delay, handle))
        return handle

    def turn_to(self, now: float) -> None:
        """Let the time pass until `now`."""
        while due := [one for one in self.set if one[0] <= now and not one[1].cancelled()]:
            first = min(due, key=lambda one: one[0])
            self.set.remove(first)
            self.now = first[0]
            first[1]._run()
        self.now = now


class World:
    """A connection on which `app` answers."""

    def __init__(self, app: Application, **options: Any) -> None:
        self.scopes: list[Scope] = []
        self.loop = Timers()
        self.line = Line()
        config = GuardedConfig(
            self._noting(app),
            guard=Guard(HttpSettings()),
            log_config=None,
            lifespan="off",
            ws=SocketProtocol,
            **options,
        )
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"today")]
        self.connection = HttptoolsConnection(config, self.state, {}, self.loop)
        self.connection.connection_made(self.line)

    def _noting(self, app: Application) -> Application:
        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            self.scopes.append(scope)
            await app(scope, receive, send)

        return noting

    async def hears(self, *pieces: bytes) -> list[bytes]:
        """What is written when the client sends `pieces`, until nothing more happens."""
        self.line.written.clear()
        for piece in pieces:
            self.connection.data_received(piece)
        await self.is_quiet()
        return self.line.written

    def loses_its_client(self, exc: Exception | None = None) -> None:
        """What the loop does then."""
        self.line.is_closed = True
        self.connection.connection_lost(exc)

    async def is_quiet(self) -> None:
        """Return when every request that could be answered is."""
        async with asyncio.timeout(10):
            while self.state.tasks:
                await asyncio.gather(*self.state.tasks, return_exceptions=True)


def answering(*parts: bytes, status: int = 200, fields: Any = (), length: int | None = None) -> Application:
    """An application that answers everything with these parts."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        said = [*fields, *([] if length is None else [(b"content-length", b"%d" % length)])]
        await send({"type": "http.response.start", "status": status, "headers": said})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return app


async def test_head_and_body_of_an_answer_are_written_together() -> None:
    world = World(answering(b"hello", length=5, fields=[(b"x-one", b"1")]))
    assert await world.hears(GET) == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\nx-one: 1\r\ncontent-length: 5\r\n\r\nhello"
    ]
    assert not world.line.is_closed
    assert world.state.total_requests == 1


async def test_a_long_body_is_not_copied_behind_its_head() -> None:
    body = b"x" * (JOINED_BYTES + 1)
    (written,) = await World(answering(body, length=len(body))).hears(GET)
    assert written.endswith(b"\r\n\r\n|" + body)


async def test_a_client_that_does_not_read_long_answers_gets_no_more_of_them() -> None:
    body = b"x" * (JOINED_BYTES + 1)
    world = World(answering(body, length=len(body)))
    world.line.when_asked = world.connection.pause_writing
    world.connection.data_received(GET * 3)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(world.line.written) == 1
    world.connection.resume_writing()
    world.line.when_asked = lambda: None
    await world.is_quiet()
    assert len(world.line.written) == 3


async def test_the_parts_of_a_body_are_written_as_they_come() -> None:
    written = await World(answering(b"one", b"two", b"", length=6)).hears(GET)
    assert [piece[-3:] for piece in written] == [b"one", b"two"]


async def test_a_head_without_a_length_does_not_wait_for_the_body() -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await go.wait()
        await send({"type": "http.response.body", "body": b"late", "more_body": True})
        await send({"type": "http.response.body", "body": b"r", "more_body": False})

    world = World(app)
    world.connection.data_received(GET)
    await asyncio.sleep(0)
    assert world.line.written == [b"HTTP/1.1 200 OK\r\ndate: today\r\ntransfer-encoding: chunked\r\n\r\n"]
    go.set()
    await world.is_quiet()
    assert world.line.written[1:] == [b"4\r\nlate\r\n", b"1\r\nr\r\n0\r\n\r\n"]


async def test_chunks_may_be_announced_by_the_application_and_may_be_empty() -> None:
    app = answering(b"", b"a", b"", fields=[(b"transfer-encoding", b"chunked")])
    written = await World(app).hears(GET)
    assert b"".join(written).count(b"transfer-encoding") == 1
    assert written[1:] == [b"1\r\na\r\n", b"0\r\n\r\n"]


async def test_a_client_of_http_1_0_knows_no_chunks() -> None:
    world = World(answering(b"one", b"two"))
    written = await world.hears(b"GET / HTTP/1.0\r\n\r\n")
    assert written == [b"HTTP/1.1 200 OK\r\ndate: today\r\nconnection: close\r\n\r\n", b"one", b"two"]
    assert world.line.is_closed


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body_by_definition_end_with_the_head(status: int) -> None:
    (written,) = await World(answering(b"", status=status)).hears(GET)
    assert written.startswith(b"HTTP/1.1 %d " % status)
    assert written.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in written


async def test_the_body_of_an_answer_to_head_is_not_written_but_its_length_is() -> None:
    (written,) = await World(answering(b"hello", length=5)).hears(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert written.endswith(b"content-length: 5\r\n\r\n")


async def test_the_application_may_let_it_be_the_last_answer() -> None:
    world = World(answering(b"", length=0, fields=[(b"connection", b"keep-alive, Close")]))
    (written,) = await world.hears(GET)
    assert written.count(b"connection:") == 1
    assert world.line.is_closed


async def test_a_client_may_let_it_be_the_last_request() -> None:
    world = World(answering(b"", length=0))
    (written,) = await world.hears(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in written
    assert world.line.is_closed


async def test_names_in_capitals_are_written_in_small_letters_and_understood() -> None:
    (written,) = await World(answering(b"a", fields=[(b"Content-Length", b"1"), (b"X-A", b"B")])).hears(GET)
    assert written.endswith(b"content-length: 1\r\nx-a: B\r\n\r\na")


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"x-a", b"1\r\nx-b: 2"), (b"x-a", b"1\x00"), (b"x a", b"1"), (b"x:a", b"1"), (b"x-a\r\n", b"1")],
)
async def test_a_field_that_could_be_taken_for_another_is_not_written(
    name: bytes, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(answering(b"", length=0, fields=[(name, value)]))
    assert await world.hears(GET) == []
    assert world.line.is_closed
    assert "what is no header field" in caplog.text


@pytest.mark.parametrize("parts", [(b"four", b"s"), (b"f",)])
async def test_a_body_of_another_length_than_was_said_ends_the_connection(
    parts: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(answering(*parts, length=4))
    written = await world.hears(GET)
    assert written[0].endswith(b"\r\n\r\n" + parts[0])
    assert len(written) == 1
    assert world.line.is_closed
    assert "than was said" in caplog.text


@pytest.mark.parametrize("message", ["http.response.body", "http.response.push"])
async def test_messages_out_of_turn_are_the_applications_fault(
    message: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": message})

    (written,) = await World(app).hears(GET)
    assert written.startswith(b"HTTP/1.1 500 ")
    assert "when it was not its turn" in caplog.text


async def test_an_answer_that_is_complete_takes_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answering(b"a", length=1)(scope, receive, send)
        await send({"type": "http.response.body", "body": b"b"})

    world = World(app)
    (written,) = await world.hears(GET)
    assert written.endswith(b"a")
    assert not world.line.is_closed
    assert "when it was not its turn" in caplog.text


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), None], ids=str)
async def test_an_application_that_does_not_answer_is_500(
    error: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if error is not None:
            raise error

    world = World(app)
    (written,) = await world.hears(GET)
    assert written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert written.endswith(b"\r\n\r\nInternal Server Error")
    assert world.line.is_closed
    assert "'/things/1'" in caplog.text


@pytest.mark.parametrize("ending", [None, ValueError("broken"), asyncio.CancelledError()], ids=str)
async def test_an_answer_that_breaks_off_ends_the_connection_and_shows_its_head(
    ending: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        if ending is not None:
            raise ending

    world = World(app)
    (written,) = await world.hears(GET)
    assert written.endswith(b"content-length: 9\r\n\r\n")
    assert world.line.is_closed
    assert not world.state.tasks


async def test_a_client_that_left_is_not_answered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        await answering(b"a", length=1)(scope, receive, send)

    world = World(app)
    world.connection.data_received(GET)
    await asyncio.sleep(0)
    world.connection.connection_lost(None)
    await world.is_quiet()
    assert world.line.written == []


async def test_a_body_is_read_whole_or_as_it_comes() -> None:
    read: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while not read or read[-1].get("more_body"):
            read.append(await receive())
        await answering(b"", length=0)(scope, receive, send)
        read.append(await receive())

    world = World(app)
    await world.hears(POST + b"0123456789")
    assert [message.get("body") for message in read] == [b"0123456789", None]
    read.clear()
    await world.hears(POST + b"012", b"345", b"67", b"89")
    assert [message.get("body") for message in read] == [b"0123456789", None]
    read.clear()
    for piece in (POST, b"0123", b"456789"):
        world.connection.data_received(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await world.is_quiet()
    assert [message.get("body") for message in read] == [b"0123", b"456789", None]
    assert read[-1] == {"type": "http.disconnect"}


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await answering(body, length=len(body))(scope, receive, send)

    world = World(app)
    world.connection.data_received(POST[:-2] + b"Expect: 100-continue\r\n\r\n")
    await asyncio.sleep(0)
    assert world.line.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    (written,) = await world.hears(b"0123456789")
    assert written.endswith(b"0123456789")


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    world = World(answering(b"a", length=1))
    written = await world.hears(GET * 3)
    assert len(written) == 3
    assert len(world.scopes) == 3
    assert not world.line.is_reading_paused


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a%20b/%C3%A4?x=%20", "/a b/\xe4", b"x=%20"),
        (b"//a", "//a", b""),
        (b"/a?", "/a", b""),
        (b"/a#part", "/a", b""),
        (b"/a?b#part", "/a", b"b"),
        (b"/a?b?c", "/a", b"b?c"),
        (b"http://elsewhere/a?b", "/a", b"b"),
    ],
)
async def test_the_path_and_the_query_of_a_target(target: bytes, path: str, query: bytes) -> None:
    world = World(answering(b"", length=0))
    await world.hears(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    (scope,) = world.scopes
    assert (scope["path"], scope["query_string"]) == (path, query)


async def test_a_path_below_the_one_that_all_is_served_under() -> None:
    world = World(answering(b"", length=0), root_path="/below")
    await world.hears(GET)
    (scope,) = world.scopes
    assert (scope["path"], scope["raw_path"]) == ("/below/things/1", b"/below/things/1")


async def test_an_idle_connection_is_closed_after_its_time_and_no_other() -> None:
    world = World(answering(b"", length=0), timeout_keep_alive=75)
    await world.hears(GET)
    world.loop.turn_to(50)
    await world.hears(GET)
    world.loop.turn_to(100)
    await world.hears(GET)
    world.loop.turn_to(174)
    assert not world.line.is_closed
    world.loop.turn_to(175)
    assert world.line.is_closed


async def test_a_connection_is_not_idle_while_it_is_asked_or_answers() -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await answering(b"", length=0)(scope, receive, send)

    world = World(app, timeout_keep_alive=75)
    go.set()
    await world.hears(GET)
    go.clear()
    world.connection.data_received(GET)
    world.loop.turn_to(1000)
    assert not world.line.is_closed
    go.set()
    await world.is_quiet()
    world.connection.data_received(GET[:10])
    world.loop.turn_to(1009)
    assert not world.line.is_closed


async def test_one_timer_serves_a_connection_however_many_requests_it_has() -> None:
    world = World(answering(b"", length=0), timeout_keep_alive=75)
    for _ in range(10):
        await world.hears(GET)
    assert len([when for when, _ in world.loop.set if when == 75]) == 1


async def test_a_connection_that_became_a_web_socket_is_never_idle() -> None:
    world = World(answering(b"", length=0), timeout_keep_alive=75)
    await world.hears(GET)
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    world.connection.data_received(GET[:-2] + upgrade + key + b"\r\n")
    await world.is_quiet()
    assert [scope["type"] for scope in world.scopes] == ["http", "websocket"]
    assert all(timer.cancelled() for when, timer in world.loop.set if when == 75)


async def test_the_date_of_answers_is_renewed() -> None:
    world = World(answering(b"", length=0))
    await world.hears(GET)
    world.state.default_headers = [(b"date", b"tomorrow")]
    (written,) = await world.hears(GET)
    assert b"\r\ndate: tomorrow\r\n" in written
    assert b"today" not in written


async def test_a_client_that_left_before_the_body_leaves_nothing_behind() -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        await go.wait()
        await send({"type": "http.response.body", "body": b"a"})

    world = World(app)
    world.connection.data_received(GET)
    (task,) = world.state.tasks
    await asyncio.sleep(0)
    world.loses_its_client()
    go.set()
    await world.is_quiet()
    assert task.exception() is None
    assert world.line.written == []


async def test_all_who_wait_on_a_connection_are_told_that_the_client_left() -> None:
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        told.append((await receive())["type"])

    world = World(app)
    world.connection.data_received(GET)
    await asyncio.sleep(0)
    world.connection.data_received(GET)
    assert not world.line.is_reading_paused  # else nobody would see it
    world.loses_its_client()
    await world.is_quiet()
    assert told == ["http.disconnect"]  # the second was never begun


@pytest.mark.parametrize("exc", [None, ConnectionResetError()], ids=["end", "reset"])
async def test_a_connection_that_is_lost_has_no_timer(exc: Exception | None) -> None:
    world = World(answering(b"", length=0))
    await world.hears(GET)
    world.loses_its_client(exc)
    assert all(timer.cancelled() for _, timer in world.loop.set)


async def test_requests_are_not_read_without_bound_while_one_is_answered() -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await go.wait()
        await answering(b"", length=0)(scope, receive, send)

    world = World(app)
    world.connection.data_received(GET + GET * MOST_WAITING)
    await asyncio.sleep(0)  # in which the first one is received
    assert world.line.is_reading_paused
    go.set()
    await world.is_quiet()
    assert not world.line.is_reading_paused
    assert len(world.scopes) == 1 + MOST_WAITING


CHUNKED = b"POST /things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says what it has read."""
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await answering(body, length=len(body))(scope, receive, send)


async def test_a_refusal_of_a_body_is_not_cut_off_by_the_end_of_the_application() -> None:
    world = World(reading)
    (written,) = await world.hears(CHUNKED, b"5\r\nhello\r\n", b"nonsense\r\n")
    assert written.startswith(b"HTTP/1.1 400 ")
    assert world.line.is_half_closed
    assert not world.line.is_closed  # what the client still sends is dropped for a moment
    world.loop.turn_to(LINGER_SECONDS)
    assert world.line.is_closed


async def test_a_body_that_does_not_come_is_refused_while_a_head_waits() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        while (await receive())["type"] != "http.disconnect":
            pass

    world = World(app)
    world.connection.data_received(POST)
    await asyncio.sleep(0)
    world.loop.turn_to(HttpSettings().body_timeout_seconds)
    await world.is_quiet()
    (written,) = world.line.written
    assert written.startswith(b"HTTP/1.1 408 ")


async def test_a_client_that_was_refused_is_not_asked_for_its_body(caplog: pytest.LogCaptureFixture) -> None:
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await receive()

    world = World(app)
    world.connection.data_received(POST[:-2] + b"Expect: 100-continue\r\n\r\n")
    world.loop.turn_to(HttpSettings().body_timeout_seconds)
    go.set()
    await world.is_quiet()
    (written,) = world.line.written
    assert written.startswith(b"HTTP/1.1 408 ")
    assert caplog.text == ""


async def test_trailers_are_no_fields_of_the_head() -> None:
    world = World(reading)
    (written,) = await world.hears(CHUNKED + b"1\r\na\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    assert written.endswith(b"\r\n\r\na")
    (scope,) = world.scopes
    assert scope["headers"] == [(b"host", b"x"), (b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize(
    ("start", "more"),
    [(b"0\r\n", b"a: b\r\n" * 200), (b"0\r\na: ", b"b" * 1000), (b"1;a=", b"b" * 1000)],
    ids=["trailers", "one trailer", "what a chunk says of itself"],
)
async def test_what_is_no_body_may_not_be_endless(start: bytes, more: bytes) -> None:
    world = World(reading)
    (written,) = await world.hears(CHUNKED, start, *[more] * (HttpSettings().max_header_bytes // 1000 + 1))
    assert written.startswith(b"HTTP/1.1 431 ")


async def test_a_body_in_many_small_chunks_is_not_endless() -> None:
    world = World(reading)
    chunks = [b"1\r\n", b"a", b"\r\n"] * 20_000
    (written,) = await world.hears(CHUNKED, *chunks, b"0\r\n", b"\r\n")
    assert written.endswith(b"\r\n\r\n" + b"a" * 20_000)


@pytest.mark.parametrize(
    "length",
    [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n0\r\n\r\n"],
)
async def test_an_upgrade_that_we_do_not_speak_costs_neither_body_nor_connection(length: bytes) -> None:
    world = World(reading)
    asking = b"Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    post = b"POST /things HTTP/1.1\r\n" + asking + length
    written = await world.hears(post + post)
    assert [answer[-5:] for answer in written] == [b"hello", b"hello"]
    assert b"connection: close" not in written[0]
    written = await world.hears(*(bytes([byte]) for byte in post))
    assert b"".join(written).endswith(b"\r\n\r\nhello")
    assert world.scopes[0]["headers"][:2] == [(b"host", b"x"), (b"connection", b"Upgrade, HTTP2-Settings")]
    assert len(await world.hears(post * 500)) == 500
