import asyncio

import pytest
from starlette.types import Message

from app.core.errors import Malformed
from app.http.body_limit import BodyLimit, BodyOverLimit, drain


class Body:
    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    async def receive(self) -> Message:
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}


@pytest.mark.parametrize("length", [None, b"0", b"10", b"0010"])
def test_an_announced_length_within_the_limit_costs_nothing_later(length: bytes | None) -> None:
    receive = Body(b"").receive
    assert BodyLimit(10).guard(receive, length, may_be_chunked=False) == receive


@pytest.mark.parametrize("length", [b"11", b"9" * 5000])
def test_an_announced_length_over_the_limit_is_refused_before_anything_is_read(length: bytes) -> None:
    body = Body(b"unread")
    with pytest.raises(BodyOverLimit, match="longer than 10 bytes") as refused:
        BodyLimit(10).guard(body.receive, length, may_be_chunked=False)
    assert body.parts == [b"unread"]
    assert refused.value.rest == body.receive


@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b"1.0", b"ten", b"5,5", b"1 0", "٣".encode()])
def test_a_length_that_is_no_number_is_malformed(length: bytes) -> None:
    with pytest.raises(Malformed):
        BodyLimit(10).guard(Body().receive, length, may_be_chunked=False)


async def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    body = Body(b"12345", b"67890", b"", b"1", b"unread")
    receive = BodyLimit(10).guard(body.receive, None, may_be_chunked=True)
    assert [(await receive())["body"] for _ in range(3)] == [b"12345", b"67890", b""]
    with pytest.raises(BodyOverLimit) as refused:
        await receive()
    assert refused.value.rest == body.receive


async def test_a_body_that_ends_over_the_limit_has_no_rest() -> None:
    receive = BodyLimit(10).guard(Body(b"x" * 11).receive, None, may_be_chunked=True)
    with pytest.raises(BodyOverLimit) as refused:
        await receive()
    assert refused.value.rest is None


async def test_draining_ends_with_the_body() -> None:
    body = Body(b"1", b"2", b"3")
    await drain(body.receive)
    assert body.parts == []


async def test_draining_ends_when_the_client_leaves() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    await drain(receive)
    assert messages == []


async def test_draining_a_silent_client_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.body_limit._PAUSE_SECONDS", 0.01)
    for_ever = asyncio.Event()

    async def receive() -> Message:
        await for_ever.wait()
        raise AssertionError

    async with asyncio.timeout(5):
        await drain(receive)
