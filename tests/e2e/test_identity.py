"""Users over the command line, beside a server with two worker processes on its embedded database."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.program import REPOSITORY, Program, open_folder, wait_until

PASSWORD = "correct horse battery staple"


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder(in_memory=True) as made:
        yield made


def user(folder: Path, *words: str) -> str:
    """What `starling user` prints in that folder."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "user", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def statuses(program: Program, token: str) -> dict[str, int]:
    """The last answer of /me that each of the two workers gave."""
    found: dict[str, int] = {}

    def have_both_answered() -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"http://127.0.0.1:{program.port}/me", headers=headers)  # a connection of its own
        found[answer.headers["x-worker"]] = answer.status_code
        return len(found) == 2

    wait_until(have_both_answered, "both workers answer")
    return found


def test_a_user_who_is_disabled_on_the_command_line_is_refused_by_every_worker_within_a_second(
    folder: Path,
) -> None:
    # Without a server it starts the database for itself; the server finds what it made.
    user(folder, "create", "ada", "--role", "manager", "--password-stdin")
    with Program(folder, {"HTTP__WORKERS": "2"}) as program:
        program.wait_until_ready()
        body = json.dumps({"login": "ada", "password": PASSWORD}).encode()
        token = json.loads(program.post("/signin", body).body)["access_token"]
        assert set(statuses(program, token).values()) == {200}

        user(folder, "disable", "ada")
        disabled_at = time.monotonic()
        wait_until(lambda: set(statuses(program, token).values()) == {401}, "both workers refuse")

        assert time.monotonic() - disabled_at < 1.5  # a second, and what the asking itself takes
        assert program.post("/signin", body).status == 401
