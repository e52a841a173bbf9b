import pytest

from app.realtime.settings import PubSubSettings


@pytest.mark.parametrize(
    "url", ["redis://localhost:6379/0", "rediss://cache.example", "redis://one, redis://two"]
)
def test_redis_is_reached_by_its_url(url: str) -> None:
    assert list(PubSubSettings(backend="redis", url=url).problems()) == []


@pytest.mark.parametrize("url", [None, "localhost:6379", "postgresql://localhost/x", "redis://one,two"])
def test_redis_without_a_url_of_its_own_is_a_problem(url: str | None) -> None:
    (problem,) = PubSubSettings(backend="redis", url=url).problems()

    assert problem.startswith("PUBSUB__URL is not a Redis URL, and PUBSUB__BACKEND is redis")


def test_other_backends_need_no_url() -> None:
    assert list(PubSubSettings(backend="memory").problems()) == []
    assert list(PubSubSettings(backend="postgres").problems()) == []
