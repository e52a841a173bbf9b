import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.core.private_files import create_private_file, folder_mode, replace_private_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("write", [create_private_file, replace_private_file])
def test_a_file_is_readable_by_its_owner_only_whatever_the_umask(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "secret", "text")

    assert mode(tmp_path / "secret") == 0o600
    assert (tmp_path / "secret").read_text() == "text"
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_missing_folders_are_made_closed_to_others(tmp_path: Path) -> None:
    assert create_private_file(tmp_path / "a" / "b" / "secret", "text")

    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == folder_mode()
    assert folder_mode() & 0o066 == 0


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    create_private_file(tmp_path / "secret", "text")

    assert mode(tmp_path) == 0o755


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("old")

    assert not create_private_file(tmp_path / "secret", "new")
    assert (tmp_path / "secret").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_a_file_that_is_to_be_replaced_is(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("old")

    replace_private_file(tmp_path / "secret", "new")

    assert (tmp_path / "secret").read_text() == "new"
    assert mode(tmp_path / "secret") == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "secret").symlink_to(victim)

    assert not create_private_file(tmp_path / "secret", "new")
    replace_private_file(tmp_path / "secret", "new")

    assert victim.read_text() == "untouched"
    assert not (tmp_path / "secret").is_symlink()


def test_of_many_that_make_a_file_at_the_same_time_one_does(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret"
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: create_private_file(file, f"text {number}"), range(32)))

    assert made.count(True) == 1
    assert file.read_text() == f"text {made.index(True)}"
    assert [each.name for each in file.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("write", [create_private_file, replace_private_file])
def test_a_place_that_cannot_be_written_is_one_sentence_with_the_remedy(
    tmp_path: Path, write: object
) -> None:
    (tmp_path / "file").write_text("")
    assert callable(write)

    with pytest.raises(StartError, match=r"cannot be written \(not a directory\): set DATA_DIR"):
        write(tmp_path / "file" / "secret", "text")
