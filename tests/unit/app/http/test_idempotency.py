"""What a request with a key is answered, told by a keeper that remembers in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.access import AccessSession, reset_access_session, set_access_session
from app.http.idempotency import (
    ATTEMPTS,
    LARGEST_KEPT,
    Idempotency,
    Kept,
    in_flight,
)
from app.http.replies import send_json, send_nothing
from orm.errors import Conflict, Invalid, Problem, TransactionConflict
from tests.support.asgi import Answered, Client, http_scope

PATH = "/api/tasks"


class Memory:
    """A keeper whose transactions take back what they kept when they fail."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Kept] = {}
        self.held: set[bytes] = set()
        self.overtakes = 0
        self._pending: dict[bytes, Kept] = {}

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """See Keeper."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        held_before = set(self.held)
        try:
            yield
            self.kept |= self._pending
        finally:
            self._pending = {}
            self.held = held_before

    async def claim(self, digest: bytes) -> Kept | None:
        """See Keeper."""
        if digest in self.kept:
            return self.kept[digest]
        if digest in self.held:
            raise in_flight()
        self.held.add(digest)
        return None

    async def keep(self, digest: bytes, kept: Kept) -> bool:
        """See Keeper."""
        if self.overtakes:
            self.overtakes -= 1
            return False
        self._pending[digest] = kept
        return True


class Counter:
    """An application that answers with how often it was called."""

    def __init__(self, status: int = 201, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.calls = 0
        self.bodies: list[bytes] = []
        self._status = status
        self._headers = headers or []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        self.bodies.append((await receive())["body"])
        if self._status == 204:
            await send_nothing(send, 204, self._headers)
        else:
            await send_json(send, self._status, b"%d" % self.calls, self._headers)


@pytest.fixture(autouse=True)
def signed_in() -> Iterator[None]:
    """User 1 asks."""
    token = set_access_session(AccessSession(user_id=1, login="ada", name="Ada"))
    yield
    reset_access_session(token)


@pytest.fixture
def memory() -> Memory:
    return Memory()


async def ask(
    memory: Memory,
    app: ASGIApp,
    *parts: bytes,
    key: str | None = "k1",
    method: str = "POST",
    path: str = PATH,
    query: str = "",
) -> Answered:
    headers = [] if key is None else [("idempotency-key", key)]
    client = Client(*parts)
    scope = http_scope(method, path, headers=headers, query=query)
    await Idempotency(memory, prefixes=("/api/", "/chats/")).answer(
        app, path, scope, client.receive, client.send
    )
    return client.answered()


async def test_the_same_request_is_answered_the_same_and_done_once(memory: Memory) -> None:
    app = Counter(headers=[(b"location", b"/api/tasks/1"), (b"etag", b'"1"'), (b"set-cookie", b"a=b")])
    first = await ask(memory, app, b'{"a"', b":1}")
    again = await ask(memory, app, b'{"a":1}')
    assert (first.status, first.body, app.calls, app.bodies) == (201, b"1", 1, [b'{"a":1}'])
    assert "idempotency-replayed" not in first.headers
    assert (again.status, again.body) == (201, b"1")
    assert again.headers == {
        "content-type": "application/json",
        "location": "/api/tasks/1",
        "etag": '"1"',
        "idempotency-replayed": "true",
        "content-length": "1",
    }


async def test_an_answer_without_a_body_stays_one(memory: Memory) -> None:
    app = Counter(204)
    for _ in range(2):
        answer = await ask(memory, app, method="DELETE")
        assert (answer.status, answer.body, "content-length" in answer.headers) == (204, b"", False)
    assert app.calls == 1


@pytest.mark.parametrize("change", [{"key": "k2"}, {"method": "PATCH"}, {"path": "/api/tasks/1"}])
async def test_another_key_method_or_path_is_another_request(memory: Memory, change: dict[str, Any]) -> None:
    app = Counter()
    await ask(memory, app)
    assert (await ask(memory, app, **change)).body == b"2"


async def test_another_user_has_keys_of_his_own(memory: Memory) -> None:
    app = Counter()
    await ask(memory, app)
    token = set_access_session(AccessSession(user_id=11, login="bob", name="Bob"))
    try:
        assert (await ask(memory, app)).body == b"2"
    finally:
        reset_access_session(token)


@pytest.mark.parametrize(("body", "query"), [(b"b", ""), (b"", ""), (b"a", "x=1")])
async def test_a_key_is_for_one_query_and_body(memory: Memory, body: bytes, query: str) -> None:
    app = Counter()
    await ask(memory, app, b"a")
    with pytest.raises(Invalid) as caught:
        await ask(memory, app, body, query=query)
    assert [(place.pointer, place.code) for place in caught.value.errors] == [
        ("/headers/Idempotency-Key", "reused")
    ]
    assert app.calls == 1


async def test_where_a_part_ends_and_the_next_begins_is_told_apart(memory: Memory) -> None:
    app = Counter()
    await ask(memory, app, b"b", query="a")
    with pytest.raises(Invalid):
        await ask(memory, app, b"", query="ab")


async def test_a_request_that_is_under_way_is_a_conflict(memory: Memory) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        inside.set()
        await go_on.wait()
        await send_json(send, 200, b"1")

    first = asyncio.create_task(ask(memory, slow))
    await inside.wait()
    with pytest.raises(Conflict) as caught:
        await ask(memory, slow)
    assert caught.value.errors[0].code == "in_flight"
    go_on.set()
    assert (await first).body == b"1"
    assert (await ask(memory, slow)).headers["idempotency-replayed"] == "true"


async def test_nothing_is_sent_before_the_commit() -> None:
    class FailingCommit(Memory):
        @asynccontextmanager
        async def _transaction(self) -> AsyncIterator[None]:
            yield
            raise ConnectionError

    client = Client()
    scope = http_scope("POST", PATH, headers=[("idempotency-key", "k")])
    idempotency = Idempotency(FailingCommit(), prefixes=("/api/",))
    with pytest.raises(ConnectionError):
        await idempotency.answer(Counter(), PATH, scope, client.receive, client.send)
    assert client.sent == []


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
async def test_a_refusal_is_answered_and_not_kept(memory: Memory, status: int) -> None:
    app = Counter(status)
    assert (await ask(memory, app)).status == status
    assert (await ask(memory, app)).body == b"2"
    assert memory.kept == {}


async def test_what_is_raised_is_not_kept(memory: Memory) -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("no")

    with pytest.raises(Problem):
        await ask(memory, refuse)
    assert (memory.kept, memory.held) == ({}, set())


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"x" * (LARGEST_KEPT + 1), []), (b"secret", [(b"cache-control", b"private, no-store")])],
)
async def test_an_answer_that_is_not_to_be_kept_is_remembered(
    memory: Memory, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    calls = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        await send_json(send, 200, body, headers)

    assert (await ask(memory, app)).body == body
    with pytest.raises(Conflict) as caught:
        await ask(memory, app)
    assert (caught.value.errors[0].code, calls) == ("not_kept", 1)
    assert all(kept.body is None for kept in memory.kept.values())


async def test_a_stream_without_end_cannot_wait_for_the_commit(memory: Memory) -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": b"x" * LARGEST_KEPT, "more_body": True})

    with pytest.raises(Invalid, match="without Idempotency-Key"):
        await ask(memory, endless)


async def test_an_answer_in_parts_is_one_answer(memory: Memory) -> None:
    async def parts(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]})
        for part in (b"a", b"b"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    for _ in range(2):
        answer = await ask(memory, parts)
        assert (answer.body, answer.headers["x-a"]) == (b"ab", "1")


async def test_who_loses_against_another_transaction_tries_again(memory: Memory) -> None:
    calls = 0

    async def unlucky(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        assert (await receive())["body"] == b"a"
        if calls < ATTEMPTS:
            raise TransactionConflict("deadlock")
        await send_json(send, 200, b"1")

    assert (await ask(memory, unlucky, b"a")).status == 200
    assert calls == ATTEMPTS
    with pytest.raises(TransactionConflict):
        calls = -ATTEMPTS
        await ask(memory, unlucky, b"a", key="k2")


async def test_who_is_overtaken_is_told_what_the_other_one_was(memory: Memory) -> None:
    app = Counter()
    memory.overtakes = 1
    assert (await ask(memory, app)).body == b"2"
    memory.overtakes = ATTEMPTS
    with pytest.raises(Conflict):
        await ask(memory, app, key="k2")


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "\u00e9", "x" * 256, "a\x7f"])
async def test_a_key_is_a_few_visible_characters(memory: Memory, key: str) -> None:
    app = Counter()
    with pytest.raises(Invalid) as caught:
        await ask(memory, app, key=key)
    assert (caught.value.errors[0].code, app.calls) == ("format", 0)


@pytest.mark.parametrize("key", ["1", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~!"])
async def test_any_such_key_will_do(memory: Memory, key: str) -> None:
    assert (await ask(memory, Counter(), key=key)).status == 201


async def test_a_key_is_given_once(memory: Memory) -> None:
    client = Client()
    scope = http_scope("POST", PATH, headers=[("idempotency-key", "a"), ("idempotency-key", "a")])
    with pytest.raises(Invalid):
        await Idempotency(memory, prefixes=("/api/",)).answer(
            Counter(), PATH, scope, client.receive, client.send
        )


async def test_a_body_that_does_not_end_does_nothing(memory: Memory) -> None:
    app, client = Counter(), Client()
    messages: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    scope = http_scope("POST", PATH, headers=[("idempotency-key", "a")])
    with pytest.raises(ClientDisconnect):
        await Idempotency(memory, prefixes=("/api/",)).answer(app, PATH, scope, receive, client.send)
    assert app.calls == 0


@pytest.mark.parametrize(
    ("method", "path", "key", "asked"),
    [
        ("POST", "/api/tasks", True, True),
        ("PATCH", "/api/tasks/1", True, True),
        ("DELETE", "/api/tasks/1", True, True),
        ("POST", "/chats", True, True),
        ("POST", "/chats/1/messages", True, True),
        ("POST", "/api/tasks", False, False),
        ("GET", "/api/tasks", True, False),
        ("PUT", "/api/tasks/1", True, False),
        ("POST", "/api_keys", True, False),
        ("POST", "/chatsome", True, False),
        ("POST", "/signin", True, False),
    ],
)
def test_keys_count_on_writes_of_some_paths(
    memory: Memory, method: str, path: str, key: bool, asked: bool
) -> None:
    headers = [("accept", "*/*"), *([("idempotency-key", "k")] if key else [])]
    scope = http_scope(method, path, headers=headers)
    assert Idempotency(memory, prefixes=("/api/", "/chats/")).is_asked(path, scope) is asked
