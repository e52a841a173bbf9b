"""A new program takes over from an old one, on a socket that both were handed, and no request is lost."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.databases import fresh_database
from tests.support.open_loop import OpenLoop
from tests.support.program import REPOSITORY, SERVE

STUB = (sys.executable, "-m", "tests.support.stub_program")
STUB_SETTINGS = {"STUB": "", "DATABASE__URL": "postgresql://nobody@127.0.0.1/nothing"}


@contextmanager
def program(
    command: tuple[str, ...], folder: Path, listening: socket.socket, settings: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """A program that was handed the socket as descriptor 3, as systemd does it, once it is ready."""
    descriptor = listening.fileno()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    started = subprocess.Popen(
        command,
        cwd=folder,
        env=inherited
        | {"PYTHONPATH": str(REPOSITORY), "LISTEN_FDS": "1", "PYTHONUNBUFFERED": "1"}
        | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: os.dup2(descriptor, 3),  # noqa: PLW1509  # one call, nothing of Python's own
        pass_fds=(3,),
    )
    out = started.stdout
    assert out is not None
    try:
        assert "is ready on" in out.readline()
        yield started
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
        out.close()


def end(old: "subprocess.Popen[str]") -> None:
    old.send_signal(signal.SIGTERM)
    assert old.wait(20) == 0


async def restarted_under_load(
    command: tuple[str, ...],
    folder: Path,
    settings: dict[str, str],
    *,
    path: str,
    times: int,
    per_second: float,
) -> OpenLoop:
    """The load that ran while the program was restarted so many times."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    load = OpenLoop(listening.getsockname()[1], path)
    with listening, ExitStack() as programs:
        old = await asyncio.to_thread(programs.enter_context, program(command, folder, listening, settings))
        async with load.running(per_second):
            for _ in range(times):
                await asyncio.sleep(0.3)
                new = await asyncio.to_thread(
                    programs.enter_context, program(command, folder, listening, settings)
                )
                await asyncio.to_thread(end, old)
                old = new
            await asyncio.sleep(0.3)
        end(old)
    return load


async def test_a_rolling_restart_loses_no_request(tmp_path: Path) -> None:
    load = await restarted_under_load(
        STUB, tmp_path, STUB_SETTINGS | {"HTTP__WORKERS": "2"}, path="/pid", times=1, per_second=100
    )
    assert load.failed == {}
    assert load.answers["200"] > 50


@pytest.mark.load
async def test_four_rolling_restarts_lose_no_request(tmp_path: Path, server_url: str) -> None:
    async with fresh_database(server_url) as url:
        settings = {"DATABASE__URL": url, "HTTP__WORKERS": "2", "DATA_DIR": str(tmp_path / "data")}
        load = await restarted_under_load(SERVE, tmp_path, settings, path="/docs", times=4, per_second=200)
    assert load.failed == {}, f"slowest of {load.answers['200']}: {load.slowest:.2f} s"
