import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.server.processes import ProcessIdentity, ended, running_in, signal_at_death_of_parent
from tests.support.program import wait_until

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until its input ends, in a folder of its own."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd=tmp_path) as process:
        yield process
        process.kill()


def identity(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    found = ProcessIdentity.of(process.pid)
    assert found is not None
    return found


def test_a_process_is_the_same_as_long_as_it_lives(sleeper: subprocess.Popen[bytes]) -> None:
    found = identity(sleeper)
    assert found == ProcessIdentity.of(sleeper.pid)
    assert found.is_alive()


def test_a_process_that_ended_is_gone_even_before_it_is_reaped(sleeper: subprocess.Popen[bytes]) -> None:
    found = identity(sleeper)
    sleeper.kill()
    wait_until(lambda: not found.is_alive(), "it is gone")
    assert ProcessIdentity.of(sleeper.pid) is None


def test_another_process_with_the_pid_is_somebody_else_and_gets_no_signal(
    sleeper: subprocess.Popen[bytes],
) -> None:
    earlier = msgspec.structs.replace(identity(sleeper), started="at another time")
    assert not earlier.is_alive()
    earlier.send(signal.SIGKILL)
    assert identity(sleeper).is_alive()


def test_a_signal_reaches_the_process(sleeper: subprocess.Popen[bytes]) -> None:
    identity(sleeper).send(signal.SIGTERM)
    assert sleeper.wait(30) == -signal.SIGTERM


def test_a_signal_to_a_process_that_is_gone_does_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    found = identity(sleeper)
    sleeper.kill()
    sleeper.wait()
    found.send(signal.SIGTERM)


@only_linux
def test_a_process_is_found_by_its_program_and_folder(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert running_in("cat", tmp_path) == [identity(sleeper)]
    assert running_in("postgres", tmp_path) == []
    assert running_in("cat", tmp_path.parent) == []


@only_linux
def test_a_child_gets_its_signal_when_the_parent_is_killed() -> None:
    program = (
        "import signal, subprocess, sys\n"
        "from app.server.processes import signal_at_death_of_parent\n"
        "child = subprocess.Popen(['cat'], preexec_fn=signal_at_death_of_parent(signal.SIGTERM))\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as parent:  # type: ignore[call-overload]
        child = ProcessIdentity.of(int(parent.stdout.readline()))
        assert child is not None
        parent.kill()
        # Its input is still open: it is the signal that ends it.
        wait_until(lambda: not child.is_alive(), "the child is gone")


@only_linux
def test_a_child_whose_parent_died_before_it_could_express_the_wish_ends_itself() -> None:
    arrange = signal_at_death_of_parent(signal.SIGTERM)
    middle = os.fork()
    if middle == 0:
        child = os.fork()
        if child == 0:  # its parent is not the process that made `arrange`, as if that one had died
            arrange()
            os._exit(0)
        os._exit(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert os.waitstatus_to_exitcode(os.waitpid(middle, 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize(
    ("status", "words"),
    [(1, "ended with status 1"), (-9, "was killed by SIGKILL"), (0, "ended with status 0")],
)
def test_an_end_is_told_in_words(status: int, words: str) -> None:
    assert ended(status) == words
