from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from app.core.errors import Malformed
from app.http.bodies import Request
from app.http.query import QueryDecoder, query
from orm.errors import Invalid
from tests.support.asgi import http_scope


class Page(msgspec.Struct):
    limit: int = 50
    after: str | None = None
    is_deep: bool = False
    count: Literal["none", "exact"] = "none"
    ids: list[int] = []
    tags: tuple[str, ...] | None = None
    before: Annotated[int, Meta(ge=1)] | None = None
    kind: Literal["a", "b"] | None = None
    part: Annotated[str, Meta(min_length=1)] | None = None


class Search(msgspec.Struct, rename={"text": "q"}):
    text: str


def asked(text: str) -> Request:
    return Request(http_scope("GET", "/", query=text))


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("", Page()),
        ("limit=7&after=a%20b%2Bc+d&is_deep=true&count=exact", Page(7, "a b+c d", True, "exact")),
        ("ids=1&ids=2&tags=x", Page(ids=[1, 2], tags=("x",))),
        ("after=", Page(after="")),
        ("after=null&part=null", Page(after="null", part="null")),
        ("before=7&kind=a", Page(before=7, kind="a")),
        ("after=%C3%A9", Page(after="é")),
        ("is_deep=0", Page()),
    ],
)
def test_a_query_becomes_the_declared_struct(text: str, page: Page) -> None:
    assert query(asked(text), Page) == page


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("limt=1", {"/query/limt": "unknown"}),
        ("a/b=1", {"/query/a~1b": "unknown"}),
        ("limit=1&limit=2", {"/query/limit": "doubled"}),
        (
            "limit=x&count=all&ids=1&ids=y",
            {"/query/limit": "type", "/query/count": "choice", "/query/ids/1": "type"},
        ),
        ("limit=", {"/query/limit": "type"}),
        (
            "before=null&kind=null&limit=null",
            {f"/query/{name}": "type" for name in ("before", "kind", "limit")},
        ),
        ("before=NULL&before=1", {"/query/before": "type"}),
        ("limit=1.5", {"/query/limit": "type"}),
        ("is_deep=maybe", {"/query/is_deep": "type"}),
    ],
)
def test_what_is_wrong_is_told_all_at_once(text: str, places: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        query(asked(text), Page)
    assert {place.pointer: place.code for place in refused.value.errors} == places


def test_a_decoder_is_made_once_and_reads_many_queries() -> None:
    decoder = QueryDecoder(Page)
    assert decoder.decode(b"") == Page()
    assert decoder.decode(b"limit=3&ids=4") == Page(3, ids=[4])
    assert decoder.decode(b"") == Page()


def test_a_missing_parameter_is_named_as_the_client_knows_it() -> None:
    with pytest.raises(Invalid) as refused:
        query(asked(""), Search)
    assert [(place.pointer, place.code) for place in refused.value.errors] == [("/query/q", "required")]
    assert query(asked("q=null"), Search).text == "null"


@pytest.mark.parametrize("text", ["after=%FF", "&".join(f"ids={number}" for number in range(101))])
def test_a_query_that_cannot_be_read_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        query(asked(text), Page)
