"""The running program keeps to its document, and the page that shows the document works in a real browser."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.support.databases import fresh_database
from tests.support.program import Program, open_folder

PASSWORD: Final = "correct horse battery staple"
HOOKS: Final = Path(__file__).parents[1] / "support" / "schemathesis_hooks.py"
SHORT_SEED: Final = "20261123"

# What ends the session that asks, and is tried apart: by who signs in anew after each 401. That costs a
# password hash, and the other runs are full of requests without a token.
SIGNING_OUT: Final = r"^/(logout|sessions)"
# What is tried in full in the short run, a thousand requests: the verbs of one model, because the same code
# answers for all of them, and what is written by hand but the chat.
IN_FULL: Final = (
    r"^/(api/partner_categories(/\{id\}|/aggregate)?$|api/batch|api/\{route\}|api_keys|chats/search|me|records"
    r"|signin|token|health|docs|openapi)"
)

CONFIGURATION: Final = """\
[checks.positive_data_acceptance]
# What fits the schema is not always taken: a filter names fields of one model, an id a row that there is, a
# version the one that was read. All else is refused for its form alone, and the schema tells of that.
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "428", "429"]
"""

SIGNING_IN: Final = """
[auth.dynamic.openapi.bearer]
path = "/signin"
payload = {{ login = "{login}", password = "{password}" }}
extract_selector = "/access_token"
retry_on = [401]
"""


class World:
    """A program with an administrator, a user without any role but `base_user`, and some rows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.url = f"http://127.0.0.1:{program.port}"

    def make_rows(self) -> None:
        """Users whose ids the hooks leave alone, a chat and partners."""
        with httpx.Client(base_url=self.url) as client:
            admin = self._sign_in(client, "admin")
            basil = self._post(client, admin, "/api/users", self._user("basil"))
            mine = self._sign_in(client, "basil")
            for number in range(3):
                self._post(client, admin, "/api/partners", {"name": f"Partner {number}", "is_company": True})
                self._post(client, mine, "/api/partners", {"name": f"Basil's {number}"})
            chat = self._post(client, admin, "/chats", {"chat_type": "group", "user_ids": [basil["id"]]})
            for number in range(3):
                self._post(client, mine, f"/chats/{chat['id']}/messages", {"body": f"number {number}"})

    def sign_in(self, login: str) -> str:
        """A token of a new session."""
        with httpx.Client(base_url=self.url) as client:
            return self._sign_in(client, login)

    def _sign_in(self, client: httpx.Client, login: str) -> str:
        answer = client.post("/signin", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    @staticmethod
    def _user(login: str) -> dict[str, Any]:
        return {"login": login, "name": login.title(), "password": PASSWORD}

    @staticmethod
    def _post(client: httpx.Client, token: str, path: str, body: Any) -> Any:
        answer = client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def world(server_url: str) -> Iterator[World]:
    """One program for all tests of this file."""
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        database_url = runner.run(stack.enter_async_context(fresh_database(server_url)))
        settings = {
            "DATABASE__URL": database_url,
            "AUTH__ADMIN_PASSWORD": PASSWORD,
            "LOGGER__LEVEL": "warning",  # a line for each of some ten thousand requests helps nobody
        }
        try:
            with open_folder() as folder, Program(folder, settings) as program:
                program.wait_until_ready()
                world = World(program)
                world.make_rows()
                yield world
        finally:
            runner.run(stack.aclose())


def run_schemathesis(
    world: World, *arguments: str, configuration: str = CONFIGURATION, seconds: float = 120
) -> None:
    """Try what the document tells with all checks. Raises AssertionError with what was found, and when
    anything was logged as an error.
    """
    logged = len(world.program.errors())
    file = world.program.folder / "schemathesis.toml"
    file.write_text(configuration)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run"]
    options = ["--checks", "all", "--no-color", "--generation-database", "none", "--continue-on-failure"]
    done = subprocess.run(
        [*command, f"{world.url}/openapi.json", *options, *arguments],
        env={"SCHEMATHESIS_HOOKS": str(HOOKS), "PATH": "", "COLUMNS": "120"},
        cwd=world.program.folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "Traceback" not in world.program.errors()[logged:]


def run_signed_in(world: World, login: str, *arguments: str, seconds: float = 120) -> None:
    """The same with the token of a user, without what would end his session."""
    token = world.sign_in(login)
    header = ("--header", f"Authorization: Bearer {token}")
    run_schemathesis(world, *header, "--exclude-path-regex", SIGNING_OUT, *arguments, seconds=seconds)
    who = httpx.get(f"{world.url}/me", headers={"Authorization": f"Bearer {token}"})
    assert who.status_code == 200, "the run took its own asker away: it found nothing from then on"


def test_every_route_keeps_to_the_document_for_a_user(world: World) -> None:
    phases = ("--phases", "fuzzing,stateful")
    run_signed_in(world, "basil", *phases, "--max-examples", "2", "--seed", SHORT_SEED)


def test_every_limit_in_the_document_is_kept_to_for_an_administrator(world: World) -> None:
    phases = ("--phases", "coverage", "--include-path-regex", IN_FULL)
    run_signed_in(world, "admin", *phases, "--seed", SHORT_SEED)


def test_what_ends_a_session_keeps_to_the_document(world: World) -> None:
    run_schemathesis(
        world,
        *("--phases", "fuzzing,stateful", "--max-examples", "2", "--seed", SHORT_SEED),
        *("--include-path-regex", SIGNING_OUT),
        configuration=CONFIGURATION + SIGNING_IN.format(login="basil", password=PASSWORD),
    )


@pytest.mark.fuzz
@pytest.mark.parametrize("login", ["basil", "admin"])
def test_every_route_keeps_to_the_document_for_long(world: World, login: str) -> None:
    run_signed_in(world, login, "--max-examples", "60", seconds=3600)
