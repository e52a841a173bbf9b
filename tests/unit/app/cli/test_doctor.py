"""`starling doctor` where there is no database to look at."""

import resource
from pathlib import Path

import msgspec
import pytest

from app.cli import main
from app.cli.machine_checks import machine_checks
from app.project_setup import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_wrong_settings_are_all_named_and_end_the_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP__PORT", "many")
    monkeypatch.setenv("HTTP__WORKERS", "0")
    assert main(["doctor", "--json"]) == 1
    found = msgspec.json.decode(capsys.readouterr().out)["data"]
    assert [(one["name"], one["state"]) for one in found] == [("settings", "fail"), ("settings", "fail")]
    assert all(one["remedy"] for one in found)


def test_a_first_start_is_all_right(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "there is none yet" in said
    assert list(folder.iterdir()) == []  # it looked, and made nothing


def test_a_database_that_is_away_is_a_failure_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE__URL", "postgresql://ada:secret@127.0.0.1:1/app")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "fail  database" in said
    assert "-> see that PostgreSQL runs" in said
    assert "secret" not in said


def test_a_secret_that_others_may_read_is_a_failure(folder: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    (data_dir / "secret").touch(mode=0o644)
    (data_dir / "secret").chmod(0o644)
    found = {one.name: one for one in machine_checks(Settings(data_dir=data_dir))}
    assert found["secrets"].state == "fail"
    assert "chmod 600" in found["secrets"].remedy


def test_a_folder_that_others_may_write_to_is_told(folder: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir()
    data_dir.chmod(0o777)
    found = {one.name: one for one in machine_checks(Settings(data_dir=data_dir))}
    assert found["data_dir"].state == "warn"


def test_too_few_files_are_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4096))
    found = {one.name: one for one in machine_checks(Settings(data_dir=folder / "data"))}
    assert found["files"].state == "warn"
    assert "ulimit -n" in found["files"].remedy


@pytest.mark.parametrize(("free", "state"), [(1, "fail"), (500_000_000, "warn"), (10**12, "ok")])
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, folder: Path, free: int, state: str) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr("app.cli.machine_checks.shutil.disk_usage", lambda place: Usage())
    found = {one.name: one for one in machine_checks(Settings(data_dir=folder / "data"))}
    assert found["disk"].state == state
