from urllib.parse import quote

import msgspec
import pytest

from app.core.errors import Malformed
from app.crud.query import LARGEST_OFFSET, Search, fields_in, search_body, search_in
from orm.errors import Invalid, Problem


def places(problem: Problem) -> dict[str, str]:
    return {place.pointer: place.code for place in problem.errors}


@pytest.mark.parametrize(
    ("raw", "search"),
    [
        ("", Search()),
        ("&", Search()),
        ("limit=1", Search(limit=1)),
        ("limit=500&offset=0", Search(limit=500)),
        (f"offset={LARGEST_OFFSET}", Search(offset=LARGEST_OFFSET)),
        ("fields=id,name&order=-price,name", Search(fields=["id", "name"], order=["-price", "name"])),
        ("fields=id%2Cowner_id.name&", Search(fields=["id", "owner_id.name"])),
        ("count=exact", Search(count="exact")),
        ("count=estimated", Search(count="estimated")),
        ("count=none", Search()),
        ('filter=[["a","=",1]]', Search(filter=[["a", "=", 1]])),
        (
            "filter=%5B%5B%22name%22,%22=%22,%22caf%C3%A9+%2B%20%26%22%5D%5D",
            Search(filter=[["name", "=", "café + &"]]),
        ),
        ("filter=[]", Search()),
        ("%6Cimit=7", Search(limit=7)),
        ("after=AbC-_", Search(after="AbC-_")),
    ],
)
def test_a_query_string_says_what_a_search_body_says(raw: str, search: Search) -> None:
    assert search_in(raw.encode()) == search
    assert search_body.decode(msgspec.json.encode(search)) == search


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("limt=1", {"/query/limt": "unknown"}),
        ("nested=%7B%7D&where=", {"/query/nested": "unknown", "/query/where": "unknown"}),
        ("a/b~=1", {"/query/a~1b~0": "unknown"}),
        ("=1", {"/query/": "unknown"}),
        ("limit", {"/query/limit": "type"}),
        ("limit=", {"/query/limit": "type"}),
        ("limit=ten", {"/query/limit": "type"}),
        ("limit=-1", {"/query/limit": "type"}),
        ("limit=%2B5", {"/query/limit": "type"}),
        ("limit=1e2", {"/query/limit": "type"}),
        ("limit=5.0", {"/query/limit": "type"}),
        ("limit=%D9%A3", {"/query/limit": "type"}),  # a digit, but an Arabic one
        ("limit=0", {"/query/limit": "range"}),
        ("limit=501", {"/query/limit": "range"}),
        ("limit=1000000000", {"/query/limit": "range"}),
        ("limit=" + "9" * 5000, {"/query/limit": "range"}),
        (f"offset={LARGEST_OFFSET + 1}", {"/query/offset": "range"}),
        ("limit=1&limit=1", {"/query/limit": "doubled"}),
        ("count=all", {"/query/count": "choice"}),
        ("count=Exact", {"/query/count": "choice"}),
        ("filter=", {"/query/filter": "format"}),
        ("filter=[", {"/query/filter": "format"}),
        ("filter=[]]", {"/query/filter": "format"}),
        ("filter={}", {"/query/filter": "type"}),
        ("filter=null", {"/query/filter": "type"}),
        ("filter=false", {"/query/filter": "type"}),
        ('filter=""', {"/query/filter": "type"}),
        ("filter=" + "[" * 50_000, {"/query/filter": "too_deep"}),
        ("limit=0&offset=x&count=y&filter=1", {
            "/query/limit": "range",
            "/query/offset": "type",
            "/query/count": "choice",
            "/query/filter": "type",
        }),
    ],
)  # fmt: skip
def test_every_parameter_that_is_wrong_is_named_at_its_place(raw: str, expected: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        search_in(raw.encode())
    assert places(caught.value) == expected
    assert caught.value.detail.startswith("The query is wrong: ")


@pytest.mark.parametrize("raw", [b"fields=%FF", b"fields=\xff", b"%FF=1", b"&".join([b"limit=1"] * 101)])
def test_a_query_string_that_cannot_be_read_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        search_in(raw)


def test_the_fields_of_one_row_are_asked_for_alone() -> None:
    assert fields_in(b"fields=id,owner_id.name") == ["id", "owner_id.name"]
    assert fields_in(b"&") is None
    with pytest.raises(Invalid) as caught:
        fields_in(b"fields=id&limit=1")
    assert places(caught.value) == {"/query/limit": "unknown"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"limit": 0}, {"/limit": "range"}),
        ({"limit": 501}, {"/limit": "range"}),
        ({"limit": 10**9, "offset": -1}, {"/limit": "range", "/offset": "range"}),
        ({"limit": "5"}, {"/limit": "type"}),
        ({"limit": True}, {"/limit": "type"}),
        ({"offset": 2**63}, {"/offset": "range"}),
        ({"filter": {}}, {"/filter": "type"}),
        ({"filter": None}, {"/filter": "type"}),
        ({"fields": "id"}, {"/fields": "type"}),
        ({"fields": ["id", 7]}, {"/fields/1": "type"}),
        ({"order": [["id"]]}, {"/order/0": "type"}),
        ({"order": 7}, {"/order": "type"}),
        ({"count": "all"}, {"/count": "choice"}),
        ({"after": 7, "nested": []}, {"/after": "type", "/nested": "type"}),
        ({"where": []}, {"/where": "unknown"}),
    ],
)
def test_every_wrong_part_of_a_search_body_is_named_at_its_place(
    body: object, expected: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as caught:
        search_body.decode(msgspec.json.encode(body))
    assert places(caught.value) == expected


def test_a_filter_survives_any_way_of_escaping() -> None:
    condition = [["name", "in", ["a&b=c", "100%", "1+1", "'; DROP TABLE products; --", "\u2603"]]]
    raw = "filter=" + quote(msgspec.json.encode(condition).decode(), safe="")
    assert search_in(raw.encode()).filter == condition
