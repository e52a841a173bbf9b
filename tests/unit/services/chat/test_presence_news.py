"""Telling of many who come or go at once: a part at a time."""

from collections.abc import Collection
from typing import Any

import pytest

from services.chat import presence as presence_module
from services.chat.presence import PresenceNews
from tests.support.eventually import eventually

CHATS = 30
PEOPLE = 1_000


class Everybody:
    """Stands for the database, the hub and who is online: everybody is in every chat."""

    def __init__(self) -> None:
        self.topics = {f"chat:{number}": object() for number in range(CHATS)}
        self.users: set[int] = set()
        self.asked: list[int] = []
        self.told = 0
        self.fails = 0

    def __contains__(self, user_id: int) -> bool:
        return user_id in self.users

    def watch(self, changes: Any) -> None:
        self.changes = changes

    async def fetch(self, sql: str, user_ids: Collection[int], chat_ids: Collection[int]) -> list[Any]:
        if self.fails:
            self.fails -= 1
            raise OSError("away")
        self.asked.append(len(user_ids))
        return [(chat_id, user_id) for chat_id in chat_ids for user_id in user_ids]

    def tell_here(self, name: str, frame: bytes, *, besides: int) -> int:
        self.told += 1
        return 1


@pytest.fixture
def everybody(monkeypatch: pytest.MonkeyPatch) -> Everybody:
    for name in ("GATHER_SECONDS", "PAUSE_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(presence_module, name, 0)
    return Everybody()


async def test_however_many_come_at_once_a_bounded_part_of_it_waits_to_be_told(everybody: Everybody) -> None:
    made: Any = everybody
    news = PresenceNews(made, made, made)
    news.start()
    everybody.users = set(range(PEOPLE))
    everybody.changes(range(PEOPLE), ())
    most = 0

    def is_told() -> bool:
        nonlocal most
        most = max(most, len(news._waiting))
        return everybody.told == PEOPLE * CHATS

    await eventually(is_told)
    assert sum(everybody.asked) == PEOPLE
    assert max(everybody.asked) <= presence_module.USERS_AT_ONCE
    assert most < presence_module.MAX_WAITING + presence_module.USERS_AT_ONCE * CHATS
    await news.stop()


async def test_a_look_up_that_fails_is_made_again(
    everybody: Everybody, caplog: pytest.LogCaptureFixture
) -> None:
    made: Any = everybody
    news = PresenceNews(made, made, made)
    news.start()
    everybody.fails = 2
    everybody.users = {1, 2}
    everybody.changes((1, 2), ())
    await eventually(lambda: everybody.told == 2 * CHATS)
    assert caplog.text.count("cannot look up") == 1
    await news.stop()
