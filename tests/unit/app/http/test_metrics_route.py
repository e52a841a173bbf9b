"""Who may read /metrics, and that the edge counts."""

import pytest

from app.core.access import AccessSession
from app.http.dispatch import Dispatcher
from app.http.edge import Edge
from app.http.health import health_router
from app.http.settings import HttpSettings
from tests.support.asgi import call
from tests.support.fake_environment import FakeEnvironment


def edge(http: HttpSettings | None = None) -> Edge:
    env = FakeEnvironment(http)
    env.fake_authenticator.remembered["root"] = AccessSession(
        user_id=3, login="root", name="Root", is_admin=True
    )
    dispatcher = Dispatcher()
    dispatcher.include(health_router(env), private=False, module="app")
    return Edge(dispatcher, env=env)


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1"])
async def test_whoever_asks_from_this_machine_sees_them(client: str) -> None:
    answered = await call(edge(), "GET", "/metrics", client=client)
    assert answered.status == 200
    assert answered.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("token", "status", "code"), [(None, 401, "unauthenticated"), ("ada", 403, "denied"), ("root", 200, "")]
)
async def test_from_elsewhere_only_administrators_see_them(token: str | None, status: int, code: str) -> None:
    headers = [("authorization", f"Bearer {token}")] if token else []
    answered = await call(edge(), "GET", "/metrics", headers=headers)
    assert answered.status == status
    assert f"urn:starling:{code}".encode() in answered.body or status == 200


async def test_what_a_program_on_this_machine_forwards_is_from_elsewhere() -> None:
    forwarded = [("x-forwarded-for", "127.0.0.1")]
    assert (await call(edge(), "GET", "/metrics", client="127.0.0.1", headers=forwarded)).status == 401
    trusting = edge(HttpSettings(trusted_proxies=("127.0.0.1",)))
    forwarded = [("x-forwarded-for", "203.0.113.7")]
    assert (await call(trusting, "GET", "/metrics", client="127.0.0.1", headers=forwarded)).status == 401


async def test_the_edge_counts_every_request() -> None:
    app = edge()
    await call(app, "GET", "/health/live")
    await call(app, "GET", "/nothing/12345")
    text = (await call(app, "GET", "/metrics", client="127.0.0.1")).body.decode()
    assert 'starling_requests_total{method="GET",route="/health/live",status="200"} 1' in text
    assert 'starling_requests_total{method="GET",route="(unknown)",status="404"} 1' in text
    assert "12345" not in text
