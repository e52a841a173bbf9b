from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.core.errors import Malformed, UnsupportedMediaType
from app.http.bodies import Body, BodyDecoder, Request, is_json
from orm.errors import Invalid
from tests.support.asgi import http_scope


class NewThing(Body):
    name: str
    count: int = 0
    extra: Any = None


DECODER = BodyDecoder(NewThing)


def request(*messages: Message, content_type: str | None = "application/json") -> Request:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    headers = [] if content_type is None else [("content-type", content_type)]
    return Request(http_scope("POST", "/", headers=headers), receive)


def part(text: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": text, "more_body": more}


async def test_a_body_is_decoded_into_the_declared_struct() -> None:
    decoded = await DECODER.read(request(part(b'{"name": "a"}')))
    assert decoded == NewThing(name="a")


async def test_a_body_in_pieces_is_one_body() -> None:
    pieces = request(part(b'{"na', more=True), part(b"", more=True), part(b'me": "a"}'))
    assert await DECODER.read(pieces) == NewThing(name="a")


async def test_the_body_can_be_read_again_after_it_was_decoded() -> None:
    asked = request(part(b'{"name": "a"}'))
    await DECODER.read(asked)
    assert await asked.body() == b'{"name": "a"}'
    assert await asked.json() == {"name": "a"}
    assert [chunk async for chunk in asked.stream()] == [b'{"name": "a"}', b""]


async def test_a_client_that_leaves_within_its_body_is_no_malformed_request() -> None:
    with pytest.raises(ClientDisconnect):
        await DECODER.read(request(part(b'{"na', more=True), {"type": "http.disconnect"}))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/merge-patch+json",
        "application/json; profile=x",
    ],
)
async def test_json_in_utf8_is_read(content_type: str) -> None:
    assert is_json(content_type.encode())
    assert (await DECODER.read(request(part(b'{"name": "a"}'), content_type=content_type))).name == "a"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "text/x+json",
        "application/jsonp",
        "application/json, text/plain",
    ],
)
async def test_any_other_content_type_is_unsupported(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        await DECODER.read(request(part(b'{"name": "a"}'), content_type=content_type))


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
async def test_no_body_at_all_is_malformed(content_type: str | None) -> None:
    with pytest.raises(Malformed, match="there is none"):
        await DECODER.read(request(part(b""), content_type=content_type))


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"{]",
        b"name=a",
        b'{"name": "a"} {}',
        b'{"name": "\xff"}',
        b'{"na\xffme": "a"}',
        b'{"unknown": 1, ',
        b'{"name": "a", "extra": NaN}',
        b'{"name": "\\ud800"}',
        b'\xef\xbb\xbf{"name": "a"}',
        b'{"name": "a", "extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 1_000_000,
    ],
    ids=range(13),
)
async def test_a_body_that_is_not_json_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        await DECODER.read(request(part(text)))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b"[]", [("", "type")]),
        (b'{"count": 1}', [("/name", "required")]),
        (
            b'{"name": 1, "count": "x", "more": 0}',
            [("/name", "type"), ("/count", "type"), ("/more", "unknown")],
        ),
        (b'{"name": "a", "extra": 1e999}', [("/extra", "range")]),
    ],
)
async def test_a_body_that_does_not_fit_is_invalid_and_says_where(
    text: bytes, places: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        await DECODER.read(request(part(text)))
    assert [(place.pointer, place.code) for place in refused.value.errors] == places
    assert refused.value.detail
