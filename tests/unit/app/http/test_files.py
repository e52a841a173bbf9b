"""Files of a page: named by their content, sent once, and under a strict policy."""

import gzip
import re

import pytest
from starlette.requests import Request

from app.http.files import File, file_answer, is_known, read_files
from tests.support.asgi import http_scope

FILE = File.of(b"text", "text/plain")


def asked(**headers: str) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(http_scope("GET", "/docs", headers=named))


def test_a_file_is_named_by_its_content() -> None:
    assert FILE.plain.etag == File.of(b"text", "text/css").plain.etag
    assert FILE.plain.etag != File.of(b"other", "text/plain").plain.etag
    assert re.fullmatch(r'"[0-9a-f]{32}"', FILE.plain.etag)


@pytest.mark.parametrize(
    "known", [FILE.plain.etag, f"W/{FILE.plain.etag}", f'"other", {FILE.plain.etag}', "*"]
)
def test_a_client_that_has_the_file_is_not_sent_it(known: str) -> None:
    answer = file_answer(asked(if_none_match=known), FILE)
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == FILE.plain.etag


@pytest.mark.parametrize("known", ["", '"other"', FILE.plain.etag.strip('"')])
def test_another_client_is_sent_the_file_under_a_strict_policy(known: str) -> None:
    answer = file_answer(asked(if_none_match=known), FILE)
    assert (answer.status_code, answer.body) == (200, b"text")
    assert answer.headers["content-type"] == "text/plain"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
    )
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("br", False), ("gzip;q=0", False), ("", False)],
)
def test_who_accepts_it_is_sent_the_packed_form_with_an_etag_of_its_own(
    accepted: str, is_packed: bool
) -> None:
    answer = file_answer(asked(accept_encoding=accepted), FILE)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers.get("content-encoding") == ("gzip" if is_packed else None)
    content = bytes(answer.body)
    assert (gzip.decompress(content) if is_packed else content) == b"text"
    assert answer.headers["etag"] == (FILE.packed if is_packed else FILE.plain).etag
    known = asked(accept_encoding=accepted, if_none_match=answer.headers["etag"])
    assert file_answer(known, FILE).status_code == 304


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ("*", True),
        ('"a"', True),
        ('W/"a"', True),
        ('"b","a"', True),
        ('"b"', False),
        ("a", False),
    ],
)
def test_if_none_match_is_compared_weakly(header: str | None, expected: bool) -> None:
    assert is_known(header, '"a"') is expected


def test_a_folder_is_read_by_name_and_only_what_pages_are_made_of() -> None:
    found = read_files("app.openapi", "static")
    assert set(found) >= {"page.css", "page.html", "page.js"}
    assert found["page.js"].media_type == "text/javascript; charset=utf-8"
    assert read_files("app.openapi", ".") == {}
