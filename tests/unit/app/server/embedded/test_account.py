import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server.embedded import account as module
from app.server.embedded.account import Account, choose_account, unreachable_part, user_name
from tests.support.program import open_folder

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs postgres as another user")


def no_such_user(name: str) -> pwd.struct_passwd:
    raise KeyError(name)


MYSELF = Account(os.geteuid(), os.getegid(), is_self=True)
STRANGER = Account(60_890, 60_890, is_self=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user asks."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242)


@pytest.mark.usefixtures("as_user")
def test_a_user_runs_a_new_cluster_himself(tmp_path: Path) -> None:
    assert choose_account(tmp_path / "postgres") == Account(4242, os.getegid(), is_self=True)


@pytest.mark.usefixtures("as_user")
def test_a_cluster_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(StartError, match="belongs to"):
        choose_account(tmp_path / "postgres")


@only_root
def test_root_runs_a_new_cluster_as_a_number_that_no_user_has(tmp_path: Path) -> None:
    chosen = choose_account(tmp_path / "postgres")
    if user_name(chosen.uid) is not None:
        assert user_name(chosen.uid) == "starling"
    assert chosen.uid != 0
    assert not chosen.is_self


@only_root
def test_root_runs_an_existing_cluster_as_its_owner(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    os.chown(tmp_path / "postgres", 60_890, 60_891)
    assert choose_account(tmp_path / "postgres") == Account(60_890, 60_891, is_self=False)


@only_root
@pytest.mark.parametrize("owner", [0, 65534])
def test_root_does_not_run_a_cluster_of_root_or_of_a_user(tmp_path: Path, owner: int) -> None:
    (tmp_path / "postgres").mkdir()
    os.chown(tmp_path / "postgres", owner, owner)
    with pytest.raises(StartError, match="belongs to"):
        choose_account(tmp_path / "postgres")


@only_root
def test_root_takes_no_number_that_a_user_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwnam", no_such_user)
    monkeypatch.setattr(module, "user_name", lambda uid: None if uid == 60_999 else "somebody")
    assert choose_account(tmp_path / "postgres") == Account(60_999, 60_999, is_self=False)
    monkeypatch.setattr(module, "user_name", lambda uid: "somebody")
    with pytest.raises(StartError, match="no free user number"):
        choose_account(tmp_path / "postgres")


@only_root
def test_root_takes_a_user_who_was_made_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pwd.struct_passwd(("starling", "x", 4711, 4712, "", "/", "/bin/false"))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: made if name == "starling" else no_such_user(name))
    assert choose_account(tmp_path / "postgres") == Account(4711, 4712, is_self=False)


@only_root
def test_initdb_gets_a_uid_with_a_name_and_keeps_the_group() -> None:
    maker = STRANGER.for_initdb()
    assert user_name(maker.uid) == "nobody"
    assert maker.gid == STRANGER.gid


def test_a_user_without_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "user_name", lambda uid: None)
    with pytest.raises(StartError, match="/etc/passwd has none"):
        MYSELF.for_initdb()


def test_a_user_reaches_what_he_reaches(tmp_path: Path) -> None:
    assert MYSELF.popen_arguments() == {}
    assert unreachable_part(tmp_path / "data", MYSELF) is None


@only_root
def test_a_program_runs_as_the_account_and_in_no_other_group() -> None:
    def said_by(*command: str) -> str:
        arguments = STRANGER.popen_arguments()
        return subprocess.run(command, capture_output=True, text=True, check=True, **arguments).stdout.strip()

    assert said_by("id", "-u") == "60890"
    assert said_by("id", "-G") == "60890"


@only_root
def test_the_folder_that_is_closed_to_the_account_is_named(folder: Path) -> None:
    inner = folder / "open/closed/inner"
    inner.mkdir(parents=True)
    assert unreachable_part(inner / "file", STRANGER) is None
    (folder / "open/closed").chmod(0o700)
    assert unreachable_part(inner / "file", STRANGER) == folder / "open/closed"
    assert stat.S_IMODE((folder / "open/closed").stat().st_mode) == 0o700


@only_root
def test_what_does_not_exist_yet_is_in_nobody_s_way(folder: Path) -> None:
    assert unreachable_part(folder / "not/yet/made", STRANGER) is None
