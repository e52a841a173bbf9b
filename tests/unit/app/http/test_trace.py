import pytest

from app.http.bodies import Request
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.routing import Router
from app.http.trace import Trace, current_trace, parsed_trace
from tests.support.asgi import call
from tests.support.fake_environment import FakeEnvironment

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_names_trace_and_parent() -> None:
    assert parsed_trace(f"00-{TRACE_ID}-{PARENT_ID}-01".encode()) == Trace(TRACE_ID, PARENT_ID)
    assert parsed_trace(f"01-{TRACE_ID}-{PARENT_ID}-01-more".encode()) == Trace(TRACE_ID, PARENT_ID)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"ff-{TRACE_ID}-{PARENT_ID}-01",
        f"00-{'0' * 32}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{PARENT_ID}-01,00-{TRACE_ID}-{PARENT_ID}-01",
    ],
)
def test_anything_else_is_ignored(header: str) -> None:
    assert parsed_trace(header.encode()) is None


async def test_the_trace_is_bound_for_the_time_of_the_request() -> None:
    router = Router()

    @router.get("/trace")
    async def trace(request: Request) -> list[str]:
        return list(current_trace.get() or ())

    dispatcher = Dispatcher()
    dispatcher.include(router, private=False, module="m")
    edge = Edge(dispatcher, env=FakeEnvironment())
    headers = [("traceparent", f"00-{TRACE_ID}-{PARENT_ID}-01")]
    answered = await call(edge, "GET", "/trace", headers=headers)
    assert answered.body.decode() == f'["{TRACE_ID}","{PARENT_ID}"]'
    assert current_trace.get() is None
    assert (await call(edge, "GET", "/trace")).body == b"[]"
