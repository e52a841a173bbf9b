from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crud.links import LONGEST, links, path_outside, query_of
from app.crud.query import Search, search_in
from tests.support.asgi import http_scope

PATH = "/api/tasks"


def told(query: str, following: str | None = None) -> str:
    """The value of the header; empty when there is none."""
    headers = links(PATH, query, following)
    return headers[0][1].decode() if headers else ""


@pytest.mark.parametrize(
    ("query", "following", "header"),
    [
        ("", None, '</api/tasks>; rel="first"'),
        ("", "c1", '</api/tasks?after=c1>; rel="next", </api/tasks>; rel="first"'),
        (
            "limit=2&after=c0&order=id",
            "c1",
            '</api/tasks?limit=2&order=id&after=c1>; rel="next", </api/tasks?limit=2&order=id>; rel="first"',
        ),
        ("offset=4&%61fter=c0&&limit=2", None, '</api/tasks?limit=2>; rel="first"'),
        (
            'filter=[["name","=","a>b"]]',
            None,
            '</api/tasks?filter=%5B%5B%22name%22,%22=%22,%22a%3Eb%22%5D%5D>; rel="first"',
        ),
        ("filter=%5B%5D", None, '</api/tasks?filter=%5B%5D>; rel="first"'),
    ],
)
def test_links_keep_the_query_and_change_where_the_page_begins(
    query: str, following: str | None, header: str
) -> None:
    assert told(query, following) == header


def test_a_path_that_is_too_long_is_no_link() -> None:
    query = "filter=" + "a" * (LONGEST - len(PATH) - len("?filter="))
    assert told(query)
    assert told(query + "a") == ""
    assert told(query, "c1") == ""


@pytest.mark.parametrize(
    ("search", "query"),
    [
        (Search(), ""),
        (Search(limit=7, after="c1", offset=3, count="exact"), "limit=7&count=exact"),
        (Search(fields=["id", "owner_id.name"], order="-id"), "fields=id,owner_id.name&order=-id"),
        (Search(order=["a", "-b"]), "order=a,-b"),
        (Search(filter=[["a", "=", "x&y"]]), "filter=%5B%5B%22a%22,%22%3D%22,%22x%26y%22%5D%5D"),
    ],
)
def test_a_body_becomes_a_query_without_where_its_page_begins(search: Search, query: str) -> None:
    assert query_of(search) == query


words = st.text(st.sampled_from('ab_.-"<>&=%+# é\u2603'), min_size=1, max_size=5)
searches = st.builds(
    Search,
    filter=st.lists(st.tuples(words, st.just("="), words).map(list), max_size=3),
    limit=st.integers(1, 500),
    count=st.sampled_from(["none", "exact", "estimated"]),
)


@given(searches)
def test_the_query_of_a_body_asks_for_the_same_and_fits_a_header(search: Search) -> None:
    query = query_of(search)
    assert search_in(query.encode("ascii")) == search
    header = told(query, "c1")
    target = header[1 : header.index(">")]
    assert search_in(target.partition("?")[2].encode()) == Search(
        filter=search.filter, limit=search.limit, count=search.count, after="c1"
    )


def test_a_path_is_told_as_it_is_seen_from_outside() -> None:
    scope = http_scope("GET", "/über/api/tasks")
    assert path_outside(scope, PATH) == PATH
    outside = path_outside({**scope, "root_path": "/über"}, PATH)
    assert (outside.isascii(), unquote(outside)) == (True, "/über/api/tasks")
