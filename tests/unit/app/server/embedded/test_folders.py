import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server.embedded.folders import change_owner, make_data_dir, make_folder, remove_tree, write_file

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    assert os.umask(before) == request.param  # nobody has changed it


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("umask")
def test_a_new_folder_has_exactly_its_mode(tmp_path: Path) -> None:
    assert mode(make_folder(tmp_path / "closed", mode=0o700)) == 0o700
    assert mode(make_folder(tmp_path / "open", mode=0o755)) == 0o755


def test_an_existing_folder_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        make_folder(tmp_path, mode=0o700)


@pytest.mark.usefixtures("umask")
def test_a_data_folder_is_made_with_its_parents_and_closed_to_others(tmp_path: Path) -> None:
    made = make_data_dir(tmp_path / "a/b")
    assert made == tmp_path / "a/b"
    # root lets others pass through, as postgres is another user; never list or write.
    assert {mode(made), mode(made.parent)} == {0o711 if os.geteuid() == 0 else 0o700}


def test_an_existing_data_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o750)
    make_data_dir(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o750


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StartError, match=r"DATA_DIR is .*/data, which is not a folder"):
        make_data_dir(tmp_path / "data")


def test_a_file_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        StartError, match=r"DATA_DIR is .*/file/data, which cannot be used \(not a directory\)"
    ):
        make_data_dir(tmp_path / "file/data")


def test_a_relative_data_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert make_data_dir(Path(".starling")) == tmp_path / ".starling"


@pytest.mark.usefixtures("umask")
def test_a_file_is_written_whole_with_exactly_its_mode(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "old", mode=0o644)
    write_file(tmp_path / "file", "new", mode=0o600)
    assert (tmp_path / "file").read_text() == "new"
    assert mode(tmp_path / "file") == 0o600
    assert [*tmp_path.iterdir()] == [tmp_path / "file"]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "file").symlink_to(tmp_path / "precious")
    (tmp_path / "file.new").symlink_to(tmp_path / "precious")
    write_file(tmp_path / "file", "new", mode=0o600)
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


@only_root
def test_a_tree_is_given_away_and_what_its_links_point_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/deep/file").touch()
    (tmp_path / "tree/link").symlink_to(tmp_path / "precious")
    (tmp_path / "tree/folder_link").symlink_to(tmp_path)
    change_owner(tmp_path / "tree", 60881, 60882)
    for name in ("tree", "tree/deep", "tree/deep/file", "tree/link", "tree/folder_link"):
        found = (tmp_path / name).lstat()
        assert (found.st_uid, found.st_gid) == (60881, 60882)
    for path in (tmp_path, tmp_path / "precious"):
        assert path.stat().st_uid == 0


def test_a_tree_is_removed_and_what_its_links_point_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to(tmp_path / "precious")
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert [*tmp_path.iterdir()] == [tmp_path / "precious"]
