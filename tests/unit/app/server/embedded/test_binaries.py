import importlib.util
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import StartError
from app.server.embedded.account import Account
from app.server.embedded.binaries import Binaries, find_binaries
from tests.support.program import open_folder

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs postgres as another user")
MYSELF = Account(os.geteuid(), os.getegid(), is_self=True)
STRANGER = Account(60_890, 60_890, is_self=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def version(binaries: Binaries, account: Account) -> str:
    command = [str(binaries.tool("postgres")), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, **account.popen_arguments())
    return said.stdout


def test_the_wheel_s_postgres_is_version_18() -> None:
    assert "PostgreSQL) 18." in version(find_binaries(), MYSELF)


def test_without_the_wheel_the_remedies_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"starling\[embedded\].*DATABASE__URL"):
        find_binaries()


def test_binaries_within_reach_are_used_in_place(tmp_path: Path) -> None:
    found = find_binaries()
    assert found.usable_by(MYSELF, tmp_path) is found


@only_root
def test_binaries_out_of_reach_are_copied_once(folder: Path) -> None:
    closed = folder / "root's"
    closed.mkdir(mode=0o700)
    (closed / "site").symlink_to(find_binaries().site)
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o711)
    (data_dir / "postgres-programs-old.new").mkdir()  # left by a killed start
    unreachable = Binaries(closed / "site")

    before = os.umask(0o077)
    try:
        copy = unreachable.usable_by(STRANGER, data_dir)
    finally:
        os.umask(before)

    assert copy.site.parent == data_dir
    assert "PostgreSQL) 18." in version(copy, STRANGER)
    assert [*data_dir.iterdir()] == [copy.site]
    assert copy.site.stat().st_uid == 0  # so that postgres cannot change its own program
    assert stat.S_IMODE(copy.tool("postgres").stat().st_mode) == 0o755
    made = copy.tool("postgres").stat().st_ino
    assert unreachable.usable_by(STRANGER, data_dir).tool("postgres").stat().st_ino == made
