import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server.embedded.log_file import LogFile


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    opened = LogFile(tmp_path / "server.log")
    yield opened
    opened.close()


def test_it_is_its_owner_s_alone(log: LogFile, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "server.log").stat().st_mode) == 0o600


def test_each_start_begins_a_new_one_and_keeps_the_last(log: LogFile, tmp_path: Path) -> None:
    os.write(log.descriptor, b"first")
    LogFile(tmp_path / "server.log").close()
    assert (tmp_path / "server.log").read_text() == ""
    assert (tmp_path / "server.log.1").read_text() == "first"


def test_a_small_one_is_not_trimmed(log: LogFile, tmp_path: Path) -> None:
    os.write(log.descriptor, b"a line")
    log.trim()
    assert (tmp_path / "server.log").read_text() == "a line"
    assert not (tmp_path / "server.log.1").exists()


def test_a_large_one_is_moved_aside_while_its_writer_goes_on(log: LogFile, tmp_path: Path) -> None:
    os.write(log.descriptor, b"x" * (4 * 1024 * 1024 + 1))
    log.trim()
    os.write(log.descriptor, b"more")
    assert (tmp_path / "server.log").read_text() == "more"
    assert (tmp_path / "server.log.1").stat().st_size == 4 * 1024 * 1024 + 1
    assert stat.S_IMODE((tmp_path / "server.log.1").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("", ""),
        ("initdb: error: no space\n", "initdb: error: no space"),
        (
            "2026-01-01 12:00:00.000 UTC [7] LOG:  one\n2026-01-01 12:00:00.000 UTC [7] FATAL:  two\n",
            "FATAL:  two",
        ),
        ("x" * 5000 + "\n[7] the end\n", "the end"),
    ],
)
def test_the_last_line_is_told_without_time_and_pid(log: LogFile, text: str, last: str) -> None:
    os.write(log.descriptor, text.encode())
    assert log.last_line() == last
