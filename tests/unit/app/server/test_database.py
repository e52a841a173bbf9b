"""When the embedded server is started again, and when it is given up."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.core.errors import StartError
from app.server.database import DatabaseKeeper


class FakeServer:
    """A server that ends and gets ready as the test says."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.is_ready = True
        self.starts = 0
        self.words = "the moon is full"
        self.process = SimpleNamespace(poll=lambda: self.status)

    def restart(self) -> None:
        self.starts += 1
        self.status = None
        self.is_ready = False

    def trim_log(self) -> None:
        """There is none."""

    def last_words(self) -> str:
        return self.words


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        patch.setattr(time, "monotonic", lambda: self.now)


def until_started_again(keeper: DatabaseKeeper, server: FakeServer, clock: Clock) -> None:
    starts = server.starts
    server.status = -9
    while server.starts == starts:
        keeper.tend()
        clock.now = max(clock.now, keeper.next_look)


def test_one_that_was_ready_each_time_is_started_again_for_ever(clock: Clock) -> None:
    server = FakeServer()
    keeper = DatabaseKeeper(cast(Any, server))
    for _ in range(20):
        until_started_again(keeper, server, clock)
        server.is_ready = True
        clock.now = keeper.next_look  # it looks soon, and sees that it is ready
        keeper.tend()
    assert server.starts == 20


def test_one_that_finds_the_disk_full_is_started_again_for_ever(clock: Clock) -> None:
    server = FakeServer()
    server.words = 'FATAL: could not write to file "pg_wal/xlogtemp.7": No space left on device (see the log)'
    keeper = DatabaseKeeper(cast(Any, server))
    for _ in range(20):
        until_started_again(keeper, server, clock)
    assert server.starts == 20


def test_one_that_never_becomes_ready_is_given_up_with_its_last_words(clock: Clock) -> None:
    server = FakeServer()
    keeper = DatabaseKeeper(cast(Any, server))
    with pytest.raises(StartError, match="PostgreSQL ends again and again: the moon is full"):
        for _ in range(20):
            until_started_again(keeper, server, clock)
    assert server.starts == 5
