"""`starling user` on a real database, with and without a server beside it."""

import asyncio
import getpass
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest

from app.cli import main
from tests.support.application import ADMIN, PASSWORD, RunningApplication, running_application


class Terminal(io.StringIO):
    """Standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE__URL", database_url)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What somebody types at the terminal when he is asked for a password."""
    answers: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: answers.pop(0))
    yield answers
    assert answers == [], "a password was not asked for"


async def run(*words: str, stdin: str = "") -> int:
    """The exit code; the command has an event loop of its own."""
    if stdin:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "stdin", io.StringIO(stdin))
            return await asyncio.to_thread(main, ["user", *words])
    return await asyncio.to_thread(main, ["user", *words])


async def made(login: str, *words: str) -> int:
    return await run("create", login, *words, "--password-stdin", stdin=f"{PASSWORD}\n")


async def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert await run("list", "--json") == 0
    users: list[dict[str, Any]] = msgspec.json.decode(capsys.readouterr().out)["data"]
    return users


async def test_a_user_is_made_in_an_empty_database_and_no_other_beside_him(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await made("Ada", "--name", "Ada Lovelace", "--admin", "--role", "manager") == 0

    assert "user ada (id 1) is made" in capsys.readouterr().out
    assert await listed(capsys) == [
        {
            "id": 1,
            "login": "ada",
            "name": "Ada Lovelace",
            "is_admin": True,
            "active": True,
            "roles": ["base_user", "manager"],
        }
    ]


async def test_whoever_was_made_that_way_is_the_first_administrator(
    database_url: str, tmp_path: Path
) -> None:
    assert await made("root", "--admin") == 0

    async with running_application(database_url, data_dir=tmp_path) as running:
        assert (await running.sign_in("root"))["user"]["is_admin"]
        answer = await (await running.client()).post("/signin", json={"login": ADMIN, "password": PASSWORD})

    assert answer.status_code == 401


async def test_the_list_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    await made("bob")
    await made("ada", "--admin")
    await run("disable", "bob")
    capsys.readouterr()

    assert await run("list") == 0

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["id", "login", "name", "rights", "state", "roles"],
        ["2", "ada", "ada", "administrator", "base_user"],
        ["1", "bob", "bob", "disabled", "base_user"],
    ]


async def test_a_password_is_asked_for_twice_at_a_terminal(
    database_url: str, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += [PASSWORD, PASSWORD]
    assert await run("create", "ada") == 0
    typed += [PASSWORD, "another password"]
    assert await run("passwd", "ada") == 1
    assert "not the same" in capsys.readouterr().err

    async with running_application(database_url) as running:
        await running.sign_in("ada")


async def test_a_password_from_standard_input_is_one_line(database_url: str) -> None:
    for number, ending in enumerate(("\n", "\r\n", "")):
        words = ("create", f"user{number}", "--password-stdin")
        assert await run(*words, stdin=f" {PASSWORD} {ending}") == 0

    async with running_application(database_url) as running:
        for number in range(3):
            await running.sign_in(f"user{number}", f" {PASSWORD} ")


@pytest.mark.parametrize("action", ["create", "passwd"])
async def test_without_a_terminal_it_says_what_to_add(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))

    assert await run(action, "ada") == 2

    assert "--password-stdin" in capsys.readouterr().err


async def test_what_cannot_be_is_said_in_one_sentence_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await made("ada", "--admin")
    before = await listed(capsys)

    for sentence, *words in (
        ("has this login", "create", "ada"),
        ("no role boss, chief", "create", "bob", "--role", "boss", "chief"),
        ("login: ", "create", " "),
        ("name: ", "create", "bob", "--name", " "),
        ("password: A password is not one's own", "create", PASSWORD),
        ("there is no user 'nobody'", "passwd", "nobody"),
        ("there is no user 'nobody'", "disable", "nobody"),
        ("last active administrator", "disable", "ADA "),
    ):
        flag = [] if words[0] == "disable" else ["--password-stdin"]
        assert await run(*words, *flag, stdin=f"{PASSWORD}\n") == 1
        error = capsys.readouterr().err
        assert error.startswith("starling: ")
        assert sentence in error
        assert len(error.splitlines()) == 1

    assert await listed(capsys) == before


async def test_a_password_that_nobody_may_choose_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for password in ("short", "password123", "x" * 200):
        assert await run("create", "ada", "--password-stdin", stdin=f"{password}\n") == 1
        assert "password: " in capsys.readouterr().err

    assert await listed(capsys) == []


async def test_wrong_words_are_exit_code_2() -> None:
    for words in ([], ["frob"], ["create"], ["list", "ada"], ["disable"], ["create", "a", "b"]):
        assert await run(*words) == 2


@pytest.mark.parametrize(
    "words",
    [("disable", "ada", "--json"), ("passwd", "ada", "--password-stdin", "--json")],
    ids=["disabled", "with another password"],
)
async def test_sessions_of_a_user_end_at_a_server_beside_it_within_a_second(
    database_url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    async with running_application(database_url) as running:
        ada = await running.as_user("ada")
        assert (await ada.get("/me")).status_code == 200
        capsys.readouterr()

        assert await run(*words, stdin="another password\n") == 0
        ended_at = monotonic()
        async with asyncio.timeout(5):
            while (await ada.get("/me")).status_code != 401:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

        assert monotonic() - ended_at < 1.0
        line = msgspec.json.decode(capsys.readouterr().out)
        assert (line["login"], line["active"]) == ("ada", words[0] != "disable")
        answer = await sign_in(running, "another password")
        assert answer == (401 if words[0] == "disable" else 200)
        rows = await running.env.db.fetch(
            "SELECT action, user_id FROM audit_log WHERE action IN ('password_changed', 'sessions_ended')"
        )
        assert {row["user_id"] for row in rows} == {None}


async def sign_in(running: RunningApplication, password: str) -> int:
    anybody = await running.client()
    return (await anybody.post("/signin", json={"login": "ada", "password": password})).status_code
