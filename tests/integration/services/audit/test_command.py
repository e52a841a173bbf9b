"""`starling audit verify` on a real database."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.cli import main
from app.core.environment import Environment
from services.audit.chain import close_waiting
from tests.integration.services.audit.world import tampering, write, written_and_closed


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE__URL", database_url)


async def run(*words: str) -> int:
    """The exit code; the command has an event loop of its own."""
    return await asyncio.to_thread(main, ["audit", "verify", *words])


async def test_a_whole_log_is_exit_code_0_and_a_line_to_note(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    await written_and_closed(env, 3)
    await write(env, 1)

    assert await run() == 0
    first, note, _ = capsys.readouterr().out.splitlines()
    assert first == "the audit log is whole: 3 entries are chained; 1 waits to be chained"

    await close_waiting(env.db)
    assert await run("--expect", note) == 0
    assert "4 entries are chained; 0 wait" in capsys.readouterr().out


async def test_a_broken_log_is_exit_code_1_and_says_what_and_where(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    await written_and_closed(env, 3)
    async with tampering(env) as connection:
        await connection.execute("UPDATE audit_log SET user_id = 1 WHERE id = 2")

    assert await run() == 1
    shown = capsys.readouterr().out
    assert shown.startswith("the audit log is not whole (changed): entry 2 at position 2 was changed")

    assert await run("--json") == 1
    data: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    assert (data["is_whole"], data["position"], data["waiting"]) == (False, 1, 0)
    assert {name: data["break"][name] for name in ("kind", "position", "entry_id")} == {
        "kind": "changed",
        "position": 2,
        "entry_id": 2,
    }


async def test_a_tail_that_was_cut_off_is_exit_code_1_against_a_note(
    env: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    await written_and_closed(env, 3)
    assert await run("--json") == 0
    data: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    assert data["break"] is None
    async with tampering(env) as connection:
        await connection.execute(
            "DELETE FROM audit_log WHERE id = 3; DELETE FROM audit_chain WHERE position = 3"
        )

    assert await run() == 0
    assert await run("--expect", f"{data['position']}:{data['hash']}") == 1
    assert "its tail was cut off" in capsys.readouterr().out


async def test_a_database_without_a_log_is_one_sentence(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run() == 1
    assert capsys.readouterr().err == (
        "starling: this database has no audit log: "
        "start Starling on it once with the audit module installed\n"
    )
