"""The rig still runs: the command, its processes, its checks of answers; not its figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SMALL = ("--quick", "--rounds", "1", "--rows", "1500")


def bench(server_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", "orm", "--database-url", server_url, *SMALL, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_starling_is_measured_against_asyncpg_and_answers_as_it_does(server_url: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    done = bench(server_url, "--only", "raw,starling", "--json", str(file))

    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["notes"] == []
    assert set(found["figures"]) == {"get", "search", "joined", "insert", "insert_many", "update", "delete"}
    for contestants in found["figures"].values():
        assert set(contestants) == {"asyncpg, held and prepared", "Starling"}
        assert all(figure["wall"] > 0 and figure["ratio"] > 0 for figure in contestants.values())
    assert "| Starling " in done.stdout
    assert "asyncpg" in found["versions"]


def test_a_peer_that_cannot_be_installed_is_named_as_missing(
    server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    done = bench(server_url, "--only", "raw,piccolo", "--venv", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "note: Piccolo is missing: " in done.stdout


def test_a_server_that_is_not_there_is_said_in_a_sentence() -> None:
    done = bench("postgresql://nobody@127.0.0.1:1/none", "--only", "raw")

    assert done.returncode == 2
    assert done.stderr.startswith("nothing was measured: ")
    assert "Traceback" not in done.stderr


@pytest.mark.load
def test_the_api_is_measured_against_the_hand_written_service_and_answers_as_it_does(
    server_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.bench", "http", "--database-url", server_url, "--json", str(file)]
    command += ["--products", "1500", "--rounds", "1", "--only", "limit,user", "--cases", "R,U"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)

    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text(encoding="utf-8"))
    for case in ("R", "U"):
        assert len(found["figures"][case]) == 2, found["notes"]
