"""Requests that are cancelled at every moment at which they wait: done as a whole or not at all, and nothing
leaks. The same request again does what is left to do.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from tests.support.application import RunningApplication, running_application
from tests.support.asgi import Client, http_scope
from tests.support.eventually import eventually
from tests.support.faults.cancelling import CancelledAt

MOST_WAITS = 100


class Case(NamedTuple):
    """A request about something that is called `name`, and how many rows it makes in which tables: each
    number of `rows` is 0 as long as it was not done, and 1 afterwards."""

    method: str
    path: Callable[[int], str]
    body: Callable[[str], dict[str, Any]]
    rows: str


CASES = {
    "records that refer to each other": Case(
        "POST",
        lambda chat_id: "/api/partners",
        lambda name: {"name": name, "category_ids": {"create": [{"name": name}]}},
        "SELECT (SELECT count(*) FROM partners WHERE name = $1), "
        "(SELECT count(*) FROM partner_categories WHERE name = $1), "
        "(SELECT count(*) FROM partner_category_links l JOIN partners p ON p.id = l.partner_id "
        "WHERE p.name = $1), "
        "(SELECT count(*) FROM idempotency_keys "
        "WHERE position(convert_to($1::text || '\"', 'UTF8') IN body) > 0)",
    ),
    "a message": Case(
        "POST",
        lambda chat_id: f"/chats/{chat_id}/messages",
        lambda name: {"body": name, "nonce": name},
        "SELECT (SELECT count(*) FROM chat_messages WHERE body = $1), "
        "(SELECT count(*) FROM chat_events WHERE frame LIKE '%\"' || $1 || '\"%')",
    ),
}


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[RunningApplication]:
    async with running_application(database_url) as started:
        yield started


@pytest.fixture
async def looking(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "when the answer is there"])
@pytest.mark.parametrize("name", CASES)
async def test_a_request_that_is_cancelled_anywhere_is_done_or_not_and_can_be_sent_again(
    running: RunningApplication, looking: "asyncpg.Connection[Any]", name: str, late: bool
) -> None:
    case = CASES[name]
    admin = await running.as_admin()
    made = await admin.post("/chats", json={"chat_type": "group", "name": "all", "user_ids": []})
    path = case.path(made.json()["id"])
    for number in range(1, MOST_WAITS):
        called = f"thing-{number}"
        was_cancelled = await cancelled_at(running, admin, (case, path, called), number, late=late)
        await eventually(lambda: running.env.db.pool.size == running.env.db.pool.idle)
        found = tuple(await looking.fetchrow(case.rows, called))
        assert len(set(found)) == 1, f"cancelled at {number}, it was done in part: {found}"
        headers = {"Idempotency-Key": called, "Content-Type": "application/json"}
        async with asyncio.timeout(10):
            again = await admin.post(path, content=_content(case, called), headers=headers)
            while again.status_code == 409:  # its session on the server is about to end
                again = await admin.post(path, content=_content(case, called), headers=headers)
        assert again.status_code in (200, 201), again.text
        found = tuple(await looking.fetchrow(case.rows, called))
        assert set(found) == {1}, f"cancelled at {number} and sent again: {found}"
        if not was_cancelled:
            break
    assert 5 < number < MOST_WAITS - 1
    assert await open_transactions(looking) == 0


async def cancelled_at(
    running: RunningApplication,
    admin: httpx.AsyncClient,
    request: tuple[Case, str, str],
    number: int,
    *,
    late: bool,
) -> bool:
    """Whether the request was cancelled, at its `number`-th wait; False: it has fewer."""
    case, path, called = request
    headers = [
        ("authorization", admin.headers["Authorization"]),
        ("content-type", "application/json"),
        ("idempotency-key", called),
    ]
    client = Client(_content(case, called))
    scope = http_scope(case.method, path, headers=headers)
    work = CancelledAt(running.app(scope, client.receive, client.send), number, late=late)
    task = asyncio.ensure_future(work)
    await asyncio.wait([task])
    if work.waits >= number:
        return True
    await task
    assert client.answered().status == 201
    return False


async def open_transactions(connection: "asyncpg.Connection[Any]") -> int:
    """Sessions that hold on to a transaction that nobody will end."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
        )
    )


def _content(case: Case, called: str) -> bytes:
    return json.dumps(case.body(called)).encode()
