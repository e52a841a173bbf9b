"""The parent and its workers, with an application that misbehaves on purpose and no database."""

import os
import signal
import socket
import sys
import threading
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.support.program import Answer, Program, wait_until

STUB = (sys.executable, "-m", "tests.support.stub_program")


def stub(folder: Path, how: str = "", **settings: str) -> Program:
    needed = {"STUB": how, "DATABASE__URL": "postgresql://nobody@127.0.0.1/nothing"}
    return Program(folder, needed | settings, command=STUB)


def refusal(program: Program) -> str:
    """The one line on standard error of a program that ends with 1 and leaves nothing behind."""
    program.processes()
    assert program.wait_until_over() == 1
    assert program.processes() == []
    (line,) = program.errors().splitlines()
    return line


def test_liveness_answers_and_readiness_does_not_while_the_application_starts(tmp_path: Path) -> None:
    with stub(tmp_path, "slow start") as program:
        wait_until(lambda: answers(program, "/health/live"), "liveness answers")
        assert program.get("/health/ready").status == 503
        assert program.output() == ""
        (tmp_path / "go").touch()
        program.wait_until_ready()


def test_a_stop_during_the_start_ends_it_with_0(tmp_path: Path) -> None:
    with stub(tmp_path, "slow start", HTTP__WORKERS="2") as program:
        wait_until(lambda: answers(program, "/health/live"), "liveness answers")
        assert program.stop() == 0
        assert program.processes() == []
        assert program.output() == ""


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_start_that_is_refused_is_told_once_whatever_the_number_of_workers(
    tmp_path: Path, workers: str
) -> None:
    with stub(tmp_path, "refuse", HTTP__WORKERS=workers) as program:
        assert refusal(program) == "starling: the moon is full: wait for another one"


def test_an_unforeseen_error_at_the_start_is_one_sentence_with_type_and_place(tmp_path: Path) -> None:
    with stub(tmp_path, "break", HTTP__WORKERS="2") as program:
        line = refusal(program)
        assert line.startswith("starling: could not start: RuntimeError: something broke")
        assert "stub_program.py" in line


def test_an_unforeseen_error_at_the_start_shows_its_stack_when_debugging(tmp_path: Path) -> None:
    with stub(tmp_path, "break", LOGGER__LEVEL="debug") as program:
        assert program.wait_until_over() == 1
        assert "Traceback" in program.errors()


def test_a_worker_that_dies_at_the_first_start_ends_the_program(tmp_path: Path) -> None:
    with stub(tmp_path, "die", HTTP__WORKERS="2") as program:
        assert refusal(program) == "starling: a worker was killed by SIGKILL while it was starting"


def test_a_killed_worker_is_replaced_and_the_others_go_on(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        killed, kept = program.workers()
        killed.kill()
        wait_until(lambda: len(program.workers()) == 2 and killed not in program.workers(), "a new worker")
        assert kept in program.workers()
        wait_until(lambda: answering_pids(program) == {one.pid for one in program.workers()}, "both answer")


def test_a_worker_that_cannot_be_started_again_ends_the_program_loudly(tmp_path: Path) -> None:
    with stub(tmp_path, "refuse later", HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        (tmp_path / "refuse").touch()
        program.workers()[0].kill()
        assert program.wait_until_over() == 1
        assert program.processes() == []
        last = program.errors().splitlines()[-1]
        assert last == "starling: a worker could not be started again: the moon is full: wait for another one"


def test_a_worker_that_finds_the_database_away_is_started_until_it_is_back(tmp_path: Path) -> None:
    with stub(tmp_path, "refuse later", HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        (tmp_path / "away").touch()
        program.workers()[0].kill()
        for _ in range(5):
            wait_until((tmp_path / "missed").exists, "it has missed the database once more")
            (tmp_path / "missed").unlink()
        (tmp_path / "away").unlink()
        wait_until(lambda: len(program.workers()) == 2, "there are two workers again")
        assert program.stop() == 0


def test_workers_end_by_themselves_when_the_parent_is_killed(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        program.process.kill()
        wait_until(lambda: not program.processes(), "the workers are gone")
        assert (tmp_path / "closed").exists()  # gracefully


def test_the_port_is_free_at_once_after_the_parent_was_killed(tmp_path: Path) -> None:
    with stub(tmp_path) as killed:
        killed.wait_until_ready()
        killed.processes()
        killed.process.kill()
        killed.wait_until_over()
        with stub(tmp_path, HTTP__PORT=str(killed.port)) as program:
            program.wait_until_ready()


def test_a_request_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    with stub(tmp_path) as program:
        program.wait_until_ready()
        answer = in_background(program, "/wait")
        wait_until((tmp_path / "asked").exists, "the request has arrived")
        program.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(program.port), "nothing new is accepted")
        assert not (tmp_path / "closed").exists()  # the application lives on for the request
        (tmp_path / "answer").touch()
        assert program.wait_until_over() == 0
        assert answer() == Answer(200, {}, b"late")
        assert (tmp_path / "closed").exists()


def test_a_request_that_takes_too_long_is_cut_off_after_the_time_to_stop(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__STOP_SECONDS="0") as program:
        program.wait_until_ready()
        in_background(program, "/wait")
        wait_until((tmp_path / "asked").exists, "the request has arrived")
        assert program.stop() == 0
        assert program.processes() == []


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with stub(tmp_path, "hang", HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        program.processes()
        program.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(program.port), "it is stopping")
        assert program.stop(signal.SIGINT) == 0
        assert program.processes() == []


def test_ctrl_c_reaches_the_whole_group_and_counts_once(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__WORKERS="2") as program:
        program.wait_until_ready()
        program.processes()
        os.killpg(program.process.pid, signal.SIGINT)
        assert program.wait_until_over() == 0
        assert program.processes() == []
        assert (tmp_path / "closed").exists()


def test_the_real_port_is_printed_when_the_system_chooses_it(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__PORT="0", HTTP__WORKERS="2") as program:
        wait_until(lambda: "is ready on" in program.output(), "the address is printed")
        program.port = int(program.output().split("is ready on http://127.0.0.1:")[1].split()[0])
        assert program.port != 0
        assert program.get("/health/live").status == 200


def test_lines_of_the_parent_are_json_when_machines_read_them(tmp_path: Path) -> None:
    with stub(tmp_path, LOGGER__FORMAT="json") as program:
        program.wait_until_ready()
        assert program.stop() == 0
        assert '"message":"stopping"' in program.errors()


def test_the_workers_hold_nothing_of_the_parent_open(tmp_path: Path) -> None:
    with stub(tmp_path, HTTP__WORKERS="3") as program:
        program.wait_until_ready()
        for worker in program.workers():
            assert len([one for one in worker.net_connections() if one.status == psutil.CONN_LISTEN]) == 1


def answers(program: Program, path: str) -> bool:
    try:
        return program.get(path).status == 200
    except OSError:
        return False


def answering_pids(program: Program) -> set[int]:
    return {int(program.get("/pid").body) for _ in range(12)}


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def in_background(program: Program, path: str) -> "Background":
    return Background(f"http://127.0.0.1:{program.port}{path}")


class Background(threading.Thread):
    """A GET whose answer, or None when the connection was cut, is there after a call."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._answer: Answer | None = None
        self.start()

    def run(self) -> None:
        try:
            with urllib.request.urlopen(self._url, timeout=30) as answer:
                self._answer = Answer(answer.status, {}, answer.read())
        except OSError:
            self._answer = None

    def __call__(self) -> Answer | None:
        self.join(30)
        return self._answer
