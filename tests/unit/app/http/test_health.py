from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.health import health_router
from tests.support.asgi import call
from tests.support.fake_environment import FakeEnvironment


def edge_of(env: FakeEnvironment) -> Edge:
    dispatcher = Dispatcher()
    dispatcher.include(health_router(env), private=False, module="app")
    return Edge(dispatcher, env=env)


async def test_liveness_answers_while_the_start_is_still_running() -> None:
    env = FakeEnvironment()
    env.is_ready = False
    env.failing = {"start": "this process is still starting"}
    answered = await call(edge_of(env), "GET", "/health/live")
    assert (answered.status, answered.json()) == (200, {"status": "ok"})


async def test_readiness_is_green_when_nothing_fails() -> None:
    answered = await call(edge_of(FakeEnvironment()), "GET", "/health/ready")
    assert (answered.status, answered.json()) == (200, {"status": "ok", "checks": {}})


async def test_readiness_says_which_check_fails_and_when_to_come_back() -> None:
    env = FakeEnvironment()
    env.failing = {"database": "the database does not answer"}
    answered = await call(edge_of(env), "GET", "/health/ready")
    assert answered.status == 503
    assert answered.json() == {"status": "unready", "checks": {"database": "the database does not answer"}}
    assert answered.headers["retry-after"] == "1"


async def test_health_can_be_asked_with_head() -> None:
    answered = await call(edge_of(FakeEnvironment()), "HEAD", "/health/live")
    assert (answered.status, answered.body, answered.headers["content-length"]) == (200, b"", "15")
