"""Sockets that are handed down, and the line on which the service manager listens."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server import service_manager
from app.server.listeners import Listeners
from app.server.service_manager import take_sockets, tell


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    opened = socket.create_server(("127.0.0.1", 0))
    copy = os.dup(opened.fileno())
    monkeypatch.setattr(service_manager, "FIRST_DESCRIPTOR", copy)
    yield opened
    opened.close()


def test_nothing_is_taken_where_nothing_was_handed_down() -> None:
    assert take_sockets({}) == []


@pytest.mark.parametrize("pid", [None, str(os.getpid())], ids=["for anybody", "for us"])
def test_a_socket_is_taken_once_and_not_handed_on(listening: socket.socket, pid: str | None) -> None:
    environ = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http", "PATH": "/bin"} | (
        {"LISTEN_PID": pid} if pid else {}
    )
    (taken,) = take_sockets(environ)
    with taken:
        assert taken.getsockname() == listening.getsockname()
        assert not taken.get_inheritable()
    assert environ == {"PATH": "/bin"}


def test_sockets_of_another_process_are_left_alone() -> None:
    assert take_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "1"}) == []


@pytest.mark.parametrize("count", ["many", "500"])
def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setattr(service_manager, "FIRST_DESCRIPTOR", 10_000)
    with pytest.raises(StartError, match="LISTEN_FDS"):
        take_sockets({"LISTEN_FDS": count})


def test_a_file_is_no_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        monkeypatch.setattr(service_manager, "FIRST_DESCRIPTOR", file.fileno())
        with pytest.raises(StartError, match="which it is not"):
            take_sockets({"LISTEN_FDS": "1"})


def test_all_workers_share_what_was_handed_down(listening: socket.socket) -> None:
    listeners = Listeners.handed_down([listening], workers=2)
    assert (listeners.host, listeners.port) == listening.getsockname()
    assert listeners.of_worker(0) == listeners.of_worker(1) == [listening]


def test_the_service_manager_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(path)
        tell({"NOTIFY_SOCKET": path}, "READY=1")
        assert line.recv(100) == b"READY=1"
    tell({"NOTIFY_SOCKET": path}, "STOPPING=1")  # nobody listens any more
    tell({}, "READY=1")
