import logging
import re
from time import perf_counter

import pytest
from starlette.types import Receive, Scope, Send

from app.core.request_context import request_id
from app.http.bodies import Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.routing import Router
from orm.tally import current_tally
from tests.support.asgi import call, shake_hands
from tests.support.fake_environment import FakeEnvironment

LOGGER = "starling.access"


def edge() -> Edge:
    router = Router()

    @router.get("/chats/{chat_id:int}")
    async def chat(request: Request) -> dict[str, int]:
        tally = current_tally()
        assert tally is not None
        for _ in range(2):  # as connections to the database do
            tally.add_since(perf_counter())
        return {}

    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    return Edge(dispatcher, env=FakeEnvironment())


def fields(record: logging.LogRecord) -> tuple[object, ...]:
    return tuple(record.__dict__[name] for name in ("method", "path", "status"))


async def test_a_request_is_one_line_with_the_template_of_its_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        await call(
            edge(), "GET", "/chats/7", query="token=secret", headers=[("authorization", "Bearer secret")]
        )
    (record,) = caplog.records
    assert fields(record) == ("GET", "/chats/{chat_id:int}", 200)
    assert record.getMessage().startswith("GET /chats/{chat_id:int} 200 ")
    assert 0 <= record.__dict__["duration_ms"] < 60_000
    assert record.__dict__["statements"] == 2
    assert 0 <= record.__dict__["database_ms"] <= record.__dict__["duration_ms"]
    assert re.search(r" ms, 2 statements \d+\.\d ms$", record.getMessage())
    assert "secret" not in str(record.__dict__)


async def test_an_unknown_path_is_escaped_and_cut(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        await call(edge(), "GET", "/no\nsuch\x1b[31m/é\udcff" + "x" * 1000)
    (record,) = caplog.records
    path = record.__dict__["path"]
    assert path.startswith("/no%0Asuch%1B%5B31m/%C3%A9%3Fxxx")
    assert len(path) == 200


async def test_a_socket_is_one_line_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        await shake_hands(edge(), "/ws/none")
    (record,) = caplog.records
    assert fields(record) == ("WEBSOCKET", "/ws/none", 404)


async def test_a_client_that_left_has_the_status_that_proxies_give_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from_nobody = []

    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        from_nobody.append(await Request(scope, receive).body())

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    far_scope = {"type": "http", "method": "POST", "path": "/x", "headers": [], "http_version": "1.1"}

    async def send(message: object) -> None:
        raise AssertionError(message)

    with caplog.at_level(logging.INFO, LOGGER):
        await Edge(leaves, env=FakeEnvironment())(far_scope, receive, send)
    (record,) = caplog.records
    assert fields(record) == ("POST", "/x", 499)
    assert from_nobody == []


async def test_the_line_is_written_while_the_request_s_id_is_known(caplog: pytest.LogCaptureFixture) -> None:
    seen = []

    class Look(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            seen.append(request_id.get())
            return True

    look = Look()
    logging.getLogger(LOGGER).addFilter(look)
    try:
        with caplog.at_level(logging.INFO, LOGGER):
            await call(edge(), "GET", "/chats/7", headers=[("x-request-id", "mine")])
    finally:
        logging.getLogger(LOGGER).removeFilter(look)
    assert seen == ["mine"]


async def test_nothing_is_measured_when_the_level_is_above(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.access_log.write", lambda *arguments: pytest.fail("written"))
    with caplog.at_level(logging.WARNING, LOGGER):
        assert (await call(edge(), "GET", "/chats/7")).status == 200
