"""`starling explain` on the project as it ships."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from app.cli import main
from tests.support.application import running_application


@pytest.fixture
async def partner_id(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A partner of the administrator's, in a project that the command finds; ada is a base user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE__URL", database_url)
    async with running_application(database_url) as running:
        await running.as_user("ada")
        admin = await running.as_admin()
        answer = await admin.post("/api/partners", json={"name": "ACME"})
        assert answer.status_code == 201, answer.text
        partner: int = answer.json()["id"]
    return partner


async def explained(*words: str) -> int:
    return await asyncio.to_thread(main, ["explain", *words])


async def test_it_says_who_may_and_by_what(partner_id: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert await explained("ada", "partners", "read", str(partner_id)) == 0
    assert await explained("ADA ", "partner", "update", str(partner_id)) == 0
    assert await explained("1", "partners", "delete", str(partner_id)) == 0

    told = capsys.readouterr().out
    assert f"ada may read partners {partner_id}." in told
    assert f"ada may not update partners {partner_id}." in told
    assert "None of the rules of his roles lets the row through." in told
    assert f"admin may delete partners {partner_id}." in told
    assert "hidden" in told
    assert "credit_limit" in told


async def test_programs_get_json(partner_id: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert await explained("ada", "partners", "update", str(partner_id), "--json") == 0

    told = msgspec.json.decode(capsys.readouterr().out)
    assert told["user"]["login"] == "ada"
    assert [(one["operation"], one["allowed"]) for one in told["data"]] == [("update", False)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody", "partners", "read"), "there is no user nobody"),
        (("ada", "nothing", "read"), "there is no model 'nothing'; there are: access_"),
    ],
)
async def test_what_does_not_exist_is_told(
    partner_id: int, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert await explained(*words) == 1

    assert sentence in capsys.readouterr().err


async def test_an_operation_is_one_of_four(capsys: pytest.CaptureFixture[str]) -> None:
    assert await explained("ada", "partners", "look") == 2
