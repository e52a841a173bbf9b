"""Requests that run at the same time, or are cancelled, leave nothing in each other's context."""

import asyncio
import contextlib
import random

from starlette.types import Receive, Scope, Send

from app.core.access import access_session_or_none
from app.core.request_context import request_id
from app.http.edge import Edge
from app.http.replies import send_nothing
from orm.context import current_or_none
from tests.support.asgi import Client, http_scope
from tests.support.fake_environment import FakeEnvironment

Seen = tuple[object, str | None, str | None]


def bound_now() -> Seen:
    session = access_session_or_none()
    return current_or_none(), None if session is None else session.login, request_id.get()


async def one_request(edge: Edge, number: int, login: str | None) -> None:
    headers = [("x-request-id", f"r{number}")]
    if login is not None:
        headers.append(("authorization", f"Bearer {login}"))
    far_end = Client()
    await edge(http_scope("GET", "/", headers=headers), far_end.receive, far_end.send)


async def test_interleaved_requests_see_only_what_is_theirs_and_leave_nothing_behind() -> None:
    chance = random.Random(7)  # any order will do, as long as it is the same in every run
    seen: dict[str | None, list[Seen]] = {}

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(chance.randrange(1, 8)):
            seen.setdefault(request_id.get(), []).append(bound_now())
            await asyncio.sleep(0)
        if chance.random() < 0.3:
            raise RuntimeError("one of those days")
        await send_nothing(send)

    envs = [FakeEnvironment(), FakeEnvironment()]
    edges = [Edge(look, env=env) for env in envs]
    logins = [chance.choice([None, "ada", "bob"]) for _ in range(300)]

    async def several(first: int) -> None:
        """Ten requests in one task, some of them cancelled, as on a connection that is kept open."""
        before = bound_now()
        for number in range(first, first + 10):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if chance.random() < 0.3 else None):
                    await one_request(edges[number % 2], number, logins[number])
            assert bound_now() == before

    async with asyncio.TaskGroup() as tasks:
        for first in range(0, 300, 10):
            tasks.create_task(several(first))

    assert len(seen) > 150
    for number, login in enumerate(logins):
        assert set(seen.get(f"r{number}", [])) <= {(envs[number % 2], login, f"r{number}")}


async def test_a_request_that_is_cancelled_while_its_token_is_verified_leaves_nothing_behind() -> None:
    env = FakeEnvironment()
    asked = asyncio.Event()

    async def verify_access(token: str) -> None:
        asked.set()
        await asyncio.Event().wait()

    env.fake_authenticator.verify_access = verify_access  # type: ignore[method-assign, assignment]

    async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    async def in_one_task() -> Seen:
        with contextlib.suppress(asyncio.CancelledError):
            await one_request(Edge(unreached, env=env), 1, "bob")
        return bound_now()

    task = asyncio.create_task(in_one_task())
    await asked.wait()
    task.cancel()
    assert await task == (None, None, None)


async def test_a_request_that_is_cut_off_is_told_to_come_back_and_stays_cancelled() -> None:
    running = asyncio.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        running.set()
        await asyncio.Event().wait()

    far_end = Client()
    serving = Edge(waits, env=FakeEnvironment())(http_scope("GET", "/"), far_end.receive, far_end.send)
    task = asyncio.ensure_future(serving)
    await running.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert [message.get("status") for message in far_end.sent] == [503, None]
