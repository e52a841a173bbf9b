import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server.embedded.account import Account
from app.server.embedded.socket_folder import (
    SOCKET,
    clear_socket_folder,
    make_socket_folder,
    remove_socket_folder,
)

MYSELF = Account(os.geteuid(), os.getegid(), is_self=True)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One with a short name: the path of a socket has 107 bytes at most, and pytest's own uses up most of
    them."""
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for sockets that have no place in the data folder."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "d"
    folder.mkdir()
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_it_lies_in_the_data_folder_and_is_closed_to_others(data_dir: Path) -> None:
    folder = make_socket_folder(data_dir, MYSELF)
    assert folder == data_dir / "run"
    assert mode(folder) == 0o700


def test_one_of_an_earlier_start_is_used_again_without_its_sockets(data_dir: Path) -> None:
    folder = make_socket_folder(data_dir, MYSELF)
    (folder / SOCKET).touch()
    (folder / f"{SOCKET}.lock").touch()
    assert make_socket_folder(data_dir, MYSELF) == folder
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    "name",
    [
        "d" * 100,
        "with space",
        "comma,",
        "colon:",
        "percent%20",
        "ümlaut",
        'quote"',
        "question?",
        "and&",
        "hash#",
    ],
)
def test_a_path_that_is_too_long_or_unusual_has_it_elsewhere(
    data_dir: Path, temporary: Path, name: str
) -> None:
    (data_dir / name).mkdir()
    folder = make_socket_folder(data_dir / name, MYSELF)
    assert folder.parent == temporary
    assert mode(folder) == 0o700
    assert make_socket_folder(data_dir / name, MYSELF) != folder  # each has its own


def test_the_longest_path_that_is_accepted_works_for_a_socket(data_dir: Path) -> None:
    rest = 103 - len(f"{data_dir}//run/{SOCKET}")
    fits, too_long = data_dir / ("d" * rest), data_dir / ("d" * (rest + 1))
    for folder in (fits, too_long):
        folder.mkdir()
    assert make_socket_folder(too_long, MYSELF) != too_long / "run"
    path = make_socket_folder(fits, MYSELF) / SOCKET
    assert path.parent == fits / "run"
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def test_the_runtime_folder_of_a_user_is_preferred(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    long = data_dir / ("d" * 100)
    long.mkdir()
    assert make_socket_folder(long, MYSELF).parent == runtime


def test_a_folder_that_others_may_enter_is_not_used(data_dir: Path) -> None:
    (data_dir / "run").mkdir()
    (data_dir / "run").chmod(0o755)
    with pytest.raises(StartError, match="run is not the socket folder that Starling made"):
        make_socket_folder(data_dir, MYSELF)
    assert mode(data_dir / "run") == 0o755


def test_a_link_is_not_used(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    (data_dir / "run").symlink_to(tmp_path / "other")
    with pytest.raises(StartError):
        make_socket_folder(data_dir, MYSELF)


def test_it_is_removed_with_its_sockets(data_dir: Path) -> None:
    folder = make_socket_folder(data_dir, MYSELF)
    (folder / SOCKET).touch()
    remove_socket_folder(folder, MYSELF)
    assert not folder.exists()
    remove_socket_folder(folder, MYSELF)


def test_what_else_is_in_it_is_kept(data_dir: Path) -> None:
    folder = make_socket_folder(data_dir, MYSELF)
    (folder / SOCKET).touch()
    (folder / "novel.txt").touch()
    remove_socket_folder(folder, MYSELF)
    assert [*folder.iterdir()] == [folder / "novel.txt"]


def test_a_folder_of_somebody_else_is_left_alone(data_dir: Path) -> None:
    folder = make_socket_folder(data_dir, MYSELF)
    (folder / SOCKET).touch()
    remove_socket_folder(folder, Account(MYSELF.uid + 1, MYSELF.gid, is_self=False))
    assert (folder / SOCKET).exists()


def test_clearing_an_empty_folder_is_fine(data_dir: Path) -> None:
    clear_socket_folder(make_socket_folder(data_dir, MYSELF))
