"""The rig of realtime still runs: the command, its processes, its verdict; not its figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SMALL = ("--rounds", "1", "--seconds", "0.5", "--sockets", "20", "--rate", "20")


@pytest.mark.load
def test_starling_is_measured_against_a_peer_and_loses_nothing(server_url: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.bench", "realtime", "--database-url", server_url, *SMALL]
    parts = ("--only", "fanout,delay,posting", "--peers", "floor", "--json", str(file))

    done = subprocess.run(
        [*command, *parts], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found["slices"]) == {"Starling", "uvicorn sansio, frame made once"}
    for (one,) in found["slices"].values():
        assert one["verdict"] == {"lost": 0, "doubled": 0, "out_of_order": 0}
        assert one["refused"] == 0
        assert one["cpu"] > 0
    assert found["heard"]["verdict"] == {"lost": 0, "doubled": 0, "out_of_order": 0}
    # Where the machine is busy, 500 connections wait longer for the database than anybody may.
    assert all(posted["per_second"] > 0 and set(posted["refused"]) <= {"503"} for posted in found["posted"])
    assert (found["stored"]["streams with gaps"], found["stored"]["deadlocks"]) == (0, 0)
    assert "| Starling |" in done.stdout
