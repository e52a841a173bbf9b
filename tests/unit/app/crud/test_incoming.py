import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.core.errors import Malformed, UnsupportedMediaType
from app.crud.incoming import move_below, read_body, refuse_query, row_id
from orm.errors import Invalid, Place, Problem
from tests.support.asgi import Client, Headers, http_scope

JSON: Headers = [("content-type", "application/json")]


@pytest.mark.parametrize(
    ("segment", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 5000, None),
        ("0" * 5000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1e3", None),
        ("0x1", None),
        (" 1", None),
        ("1_000", None),
        ("\u0663", None),  # a digit, but an Arabic one
        ("\u00b2", None),
        ("1;DROP TABLE products", None),
    ],
)
def test_an_id_is_made_of_ascii_digits_and_fits_a_bigint(segment: str, number: int | None) -> None:
    assert row_id(segment) == number


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"],
)
async def test_a_json_body_is_read_whole(content_type: str) -> None:
    client = Client(b'{"na', b'me"', b": 1}")
    scope = http_scope("POST", "/", headers=[("accept", "*/*"), ("content-type", content_type)])
    assert await read_body(scope, client.receive) == b'{"name": 1}'


@pytest.mark.parametrize(
    "headers", [[], [("content-type", "text/plain")], [("content-type", "application/json; charset=latin-1")]]
)
async def test_a_body_that_is_not_declared_to_be_json_is_of_an_unsupported_type(headers: Headers) -> None:
    with pytest.raises(UnsupportedMediaType):
        await read_body(http_scope("POST", "/", headers=headers), Client(b"{}").receive)


@pytest.mark.parametrize("headers", [[], JSON, [("content-type", "text/plain")]])
async def test_a_missing_body_is_malformed_whatever_its_type(headers: Headers) -> None:
    with pytest.raises(Malformed):
        await read_body(http_scope("POST", "/", headers=headers), Client(b"").receive)


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_mistaken_for_its_end() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    with pytest.raises(ClientDisconnect):
        await read_body(http_scope("POST", "/", headers=JSON), receive)


def test_a_query_where_none_is_read_is_refused() -> None:
    refuse_query(http_scope("POST", "/"))
    with pytest.raises(Invalid) as caught:
        refuse_query(http_scope("POST", "/", query="dry_run=true"))
    assert [(place.pointer, place.code) for place in caught.value.errors] == [("/query", "unknown")]


def test_places_move_below_what_they_are_a_part_of() -> None:
    problem = Problem("two", errors=[Place("/name", "type", "a"), Place("", "empty", "b")])
    move_below(problem, "/values")
    assert problem.errors == (Place("/values/name", "type", "a"), Place("/values", "empty", "b"))
