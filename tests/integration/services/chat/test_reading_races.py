"""Reading while one is removed: whatever comes between the statements of it, nothing that was said after the
removal is shown.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import msgspec
import pytest

from app.core.environment import Environment
from orm import Problem
from services.chat import actions
from tests.integration.services.chat.world import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "heron"
MOST_STATEMENTS = 8

Reading = Callable[[int, int, int, int], Awaitable[Any]]
"""What a user reads: of a chat, himself, a message in it, and a chat of his own."""

READINGS: dict[str, Reading] = {
    "messages": lambda chat, user, message, own: actions.list_messages(chat, user, limit=50),
    "later messages": lambda chat, user, message, own: actions.list_messages(
        chat, user, after=message, limit=50
    ),
    "pinned": lambda chat, user, message, own: actions.list_pinned(chat, user),
    "events": lambda chat, user, message, own: actions.list_events(chat, user, since=0, limit=50),
    "history": lambda chat, user, message, own: actions.list_versions(chat, user, message),
    "search": lambda chat, user, message, own: actions.search_messages(user, SECRET, limit=50),
    "search in the chat": lambda chat, user, message, own: actions.search_messages(
        user, SECRET, chat_id=chat, limit=50
    ),
    "the chat": lambda chat, user, message, own: actions.get_chat(chat, user),
    "the list": lambda chat, user, message, own: actions.list_chats(user, limit=50),
    "forward": actions.forward_message,
}


async def interrupted(
    env: Environment, work: Awaitable[Any], *, after: int, by: Callable[[], Coroutine[Any, Any, None]]
) -> tuple[Any, bool]:
    """What `work` answers when something else happens after so many of its statements, and whether it did."""
    run = env.db.run
    worker = asyncio.current_task()
    count = 0

    async def counted(text: str, values: Any = ()) -> list[Any]:
        nonlocal count
        found = await run(text, values)
        if asyncio.current_task() is worker:
            count += 1
            if count == after:
                await asyncio.create_task(by(), context=contextvars.Context())
        return found

    env.db.run = counted  # type: ignore[method-assign]
    try:
        answer = None
        with contextlib.suppress(Problem):
            answer = await work
        return answer, count >= after
    finally:
        del env.db.run


async def test_what_is_said_after_one_was_removed_is_not_shown(ada: Person, bob: Person) -> None:
    own_id = await bob.group()
    shown = {what: await shown_when_removed(reading, ada, bob, own_id) for what, reading in READINGS.items()}
    assert shown == dict.fromkeys(READINGS, False)


async def shown_when_removed(reading: Reading, ada: Person, bob: Person, own_id: int) -> bool:
    """Whether bob is ever shown what ada says after she removed him between two statements of his reading."""
    env = ada.running.env
    for after in range(1, MOST_STATEMENTS):
        chat_id = await ada.group(bob)
        said = await ada.say(chat_id, "sparrow")

        async def remove_and_say(chat_id: int = chat_id, message_id: int = said["id"]) -> None:
            with env.bind():
                await actions.remove_member(chat_id, ada.id, bob.id)
                await actions.post_message(chat_id, ada.id, SECRET)
                await actions.edit_message(chat_id, ada.id, message_id, SECRET)
                await actions.pin_message(chat_id, ada.id, message_id, True)

        with env.bind():
            work = reading(chat_id, bob.id, said["id"], own_id)
            shown, was_interrupted = await interrupted(env, work, after=after, by=remove_and_say)
        if SECRET in msgspec.json.encode(shown).decode():
            return True
        if not was_interrupted:
            return False
    raise AssertionError("there are more statements than this looks between")


async def test_a_chat_is_shown_as_it_is_at_one_moment(ada: Person, bob: Person, eve: Person) -> None:
    env = ada.running.env
    for after in range(1, MOST_STATEMENTS):
        chat_id = await ada.group(bob)

        async def add(chat_id: int = chat_id) -> None:
            with env.bind():
                await actions.add_member(chat_id, ada.id, eve.id)

        with env.bind():
            reading = partial(actions.get_chat, chat_id, ada.id)()
            shown, was_interrupted = await interrupted(env, reading, after=after, by=add)
        assert len(shown.members) == shown.last_seq
        if not was_interrupted:
            return
    raise AssertionError("there are more statements than this looks between")
