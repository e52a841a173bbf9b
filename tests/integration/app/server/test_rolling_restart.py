"""A new program takes over from an old one, on a socket that both were handed, and no request is lost."""

import asyncio
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.databases import fresh_database
from tests.support.handed_down import end, program
from tests.support.open_loop import OpenLoop
from tests.support.program import SERVE

STUB = (sys.executable, "-m", "tests.support.stub_program")
STUB_SETTINGS = {"STUB": "", "DATABASE__URL": "postgresql://nobody@127.0.0.1/nothing"}


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
