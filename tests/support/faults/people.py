"""A data folder with users, their chats and tokens that hold for hours: made once, copied for each fault."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.support.faults.wire import Wire
from tests.support.program import Program

PASSWORD: Final = "correct horse battery staple"
CHAT_MEMBERS: Final = 30
LASTING: Final = {"AUTH__ADMIN_PASSWORD": PASSWORD, "AUTH__ACCESS_TTL_SECONDS": "14400"}
"""Settings with which tokens outlive a fault, and a soak."""

_AT_ONCE: Final = 4


class Person(NamedTuple):
    """Who is signed in, and the chat that he is in."""

    login: str
    token: str
    chat_id: int


class People(NamedTuple):
    """Everybody, and the administrator's token."""

    persons: tuple[Person, ...]
    admin: str


async def settle(folder: Path, count: int) -> People:
    """Make so many users and a chat for every thirty of them, on the data folder in `folder`."""
    with Program(folder, LASTING) as program:
        await asyncio.to_thread(program.wait_until_ready)
        wire = Wire(program.port)
        admin = (await _ask(wire, "/signin", {"login": "admin", "password": PASSWORD}))["access_token"]
        turns = asyncio.Semaphore(_AT_ONCE)

        async def join(login: str) -> tuple[int, str]:
            async with turns:
                who = {"login": login, "name": login.title(), "password": PASSWORD}
                made = await _ask(wire, "/api/users", who, admin)
                signed_in = await _ask(wire, "/signin", {"login": login, "password": PASSWORD})
                return made["id"], signed_in["access_token"]

        logins = [f"user{number}" for number in range(count)]
        joined = await asyncio.gather(*map(join, logins))
        persons: list[Person] = []
        for start in range(0, count, CHAT_MEMBERS):
            members = joined[start : start + CHAT_MEMBERS]
            group = {
                "chat_type": "group",
                "name": f"chat {start}",
                "user_ids": [user_id for user_id, _ in members],
            }
            chat_id = (await _ask(wire, "/chats", group, admin))["id"]
            persons += (
                Person(login, token, chat_id)
                for login, (_, token) in zip(logins[start:], members, strict=False)
            )
        await wire.close()
        assert await asyncio.to_thread(program.stop) == 0
    return People(tuple(persons), admin)


async def _ask(wire: Wire, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    got = await wire.ask("POST", path, token=token, body=json.dumps(body).encode())
    assert got.status in (200, 201), got.body
    answer: dict[str, Any] = json.loads(got.body)
    return answer
