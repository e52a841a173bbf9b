"""The numbers of a worker, and those of the others beside them."""

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from app.http.metrics import Family, Metrics, Sample, rendered
from app.server.board import Board
from app.server.numbers import publish_numbers
from app.server.protocols import Guard, GuardedConfig
from app.server.uvicorn_server import Server


class Edge:
    """What has metrics in the place where an application's edge is."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("nothing is asked")


def worker(board: Board, number: int) -> tuple[Metrics, Server]:
    edge, app, guard = Edge(), Starlette(), Guard()
    app.middleware_stack = edge
    server = Server(GuardedConfig(app, guard=guard, log_config=None))
    publish_numbers(app, guard, server, board, number)
    return edge.metrics, server


async def test_any_worker_shows_the_numbers_of_all() -> None:
    board = Board(2)
    (first, _), (second, of_second) = worker(board, 0), worker(board, 1)
    first.observe("GET", "/x", 200, 0.001)
    second.observe("GET", "/x", 200, 0.001)
    second.source(lambda: [Family("starling_up", "gauge", "Up.", [Sample((), 1)])])
    text = rendered(first.gather_all())
    assert 'starling_requests_total{method="GET",route="/x",status="200",worker="0"} 1' in text
    assert 'worker="1"' not in text
    assert of_second.each_second is not None
    of_second.each_second()
    text = rendered(first.gather_all())
    assert 'starling_requests_total{method="GET",route="/x",status="200",worker="1"} 1' in text
    assert 'starling_up{worker="1"} 1' in text
    assert text.count("# TYPE starling_requests_total") == 1
    for name in (
        "starling_connections",
        "starling_tasks",
        "starling_event_loop_lag_seconds",
        "starling_memory_peak_bytes",
    ):
        assert f'{name}{{worker="0"}}' in text


async def test_a_worker_that_takes_the_place_of_another_begins_with_an_empty_one() -> None:
    board = Board(2)
    (first, _), (second, of_second) = worker(board, 0), worker(board, 1)
    second.observe("GET", "/x", 200, 0.001)
    assert of_second.each_second is not None
    of_second.each_second()
    worker(board, 1)
    assert 'worker="1"' not in rendered(first.gather_all())
