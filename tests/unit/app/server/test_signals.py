import os
import signal
import time
from collections.abc import Iterator

import pytest

from app.server.signals import Signals, StopRequested


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, which runs the tests perhaps, is respected
    try:
        with Signals() as entered:
            yield entered
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_request_to_stop_ends_the_wait_and_is_counted(signals: Signals, signum: signal.Signals) -> None:
    signal.raise_signal(signum)
    assert signals.wait(None) == []
    assert signals.stop_requests == 1
    with pytest.raises(StopRequested):
        signals.pause(60)


def test_the_end_of_a_child_ends_the_wait_and_is_no_request_to_stop(signals: Signals) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert signals.wait(None) == []
    os.waitpid(child, 0)
    assert signals.stop_requests == 0


def test_a_wait_is_over_when_its_time_is(signals: Signals) -> None:
    began = time.monotonic()
    assert signals.wait(0.02) == []
    assert time.monotonic() - began >= 0.02
    signals.pause(0.0)


def test_a_descriptor_that_can_be_read_ends_the_wait(signals: Signals) -> None:
    read, write = os.pipe()
    try:
        os.write(write, b"x")
        assert signals.wait(None, [read]) == [read]
    finally:
        os.close(read)
        os.close(write)


def test_the_end_of_a_pipe_ends_the_wait(signals: Signals) -> None:
    read, write = os.pipe()
    os.close(write)
    try:
        assert signals.wait(None, [read]) == [read]
    finally:
        os.close(read)


def test_handlers_are_as_before_afterwards() -> None:
    noted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = [signal.getsignal(signum) for signum in noted]
    with Signals():
        assert [signal.getsignal(signum) for signum in noted] != before
    assert [signal.getsignal(signum) for signum in noted] == before


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGINT, 7), (signal.SIGHUP, 7), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_child_leaves_ctrl_c_to_the_parent_and_ends_when_told(
    signals: Signals, signum: signal.Signals, status: int
) -> None:
    child = signals.fork()
    if child == 0:
        signal.raise_signal(signum)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status
    assert signals.stop_requests == 0
