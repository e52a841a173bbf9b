from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Malformed
from app.crud.etags import MOST_VERSIONS, Tag, etag, is_known, tags_in, versions_in

BODY = b'{"id":1}'
TAG = etag("731", BODY)


def test_a_tag_tells_the_version_and_the_bytes_apart() -> None:
    assert TAG.startswith(b'"731-')
    assert len(TAG) == len('"731-') + 16 + len('"')
    assert etag("731", BODY) == TAG
    assert len({TAG, etag("732", BODY), etag("731", b"{}")}) == 3
    assert versions_in(TAG) == ("731",)


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        (b"*", None),
        (b" * ", None),
        (b'"a"', [("a", False)]),
        (b'""', [("", False)]),
        (b'W/"a"', [("a", True)]),
        (b'"a", W/"b","c"', [("a", False), ("b", True), ("c", False)]),
        (b'"a,b" ,\t"c"', [("a,b", False), ("c", False)]),
        (b',, "a",,', [("a", False)]),
        (b'"W/"', [("W/", False)]),
        (b'"\xe9"', [("\xe9", False)]),
        (b'"*"', [("*", False)]),
    ],
)
def test_a_header_is_a_star_or_a_list_of_tags(header: bytes, tags: list[tuple[str, bool]] | None) -> None:
    found = tags_in(header)
    assert found == (None if tags is None else [Tag(text.encode("latin-1"), weak) for text, weak in tags])


GARBAGE = [
    b"",
    b" ",
    b",",
    b"a",
    b"731",
    b'"a',
    b'a"',
    b'"a" "b"',
    b'"a""b"',
    b'"a"; q=1',
    b'w/"a"',
    b'W/ "a"',
    b"W/",
    b'"a b"',
    b'"a\0"',
    b'"a\x7f"',
    b'*, "a"',
    b'"a", *',
    b"'a'",
    b'"a", b',
]


@pytest.mark.parametrize("header", GARBAGE)
def test_garbage_is_malformed_where_it_guards_and_names_nothing_where_it_does_not(header: bytes) -> None:
    for read in (tags_in, versions_in):
        with pytest.raises(Malformed):
            read(header)
    assert not is_known(header, TAG)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (b"*", True),
        (TAG, True),
        (b"W/" + TAG, True),
        (b'"a", ' + TAG, True),
        (etag("731", b"{}"), False),  # the row is the same, what is seen of it is not
        (etag("732", BODY), False),
        (TAG.upper().replace(b"W/", b""), TAG.upper() == TAG),
        (b'"731"', False),
    ],
)
def test_what_a_reader_knows_is_compared_as_a_whole(header: bytes, known: bool) -> None:
    assert is_known(header, TAG) is known


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (b"*", None),
        (b'"731-0123456789abcdef"', ("731",)),
        (b'"731-0123456789abcdef", "731-fedcba9876543210", "8-0123456789abcdef"', ("731", "8")),
        (b'W/"731-0123456789abcdef"', ()),
        (b'"731"', ()),
        (b'"731-"', ()),
        (b'"731-0123456789ABCDEF"', ()),
        (b'"731-0123456789abcdef0"', ()),
        (b'"-0123456789abcdef"', ()),
        (b'"12345678901-0123456789abcdef"', ()),
        (b'"1\'; DROP TABLE x;--0123456789abcdef"'.replace(b" ", b""), ()),
        (b'"\xd9\xa3-0123456789abcdef"', ()),
    ],
)
def test_what_a_writer_means_is_the_version_of_strong_tags(
    header: bytes, versions: tuple[str, ...] | None
) -> None:
    assert versions_in(header) == versions


def test_a_writer_means_a_handful_of_versions_at_most() -> None:
    many = [f'"{number}-0123456789abcdef"' for number in range(MOST_VERSIONS + 1)]
    assert len(versions_in(", ".join(many[1:]).encode()) or ()) == MOST_VERSIONS
    with pytest.raises(Malformed):
        versions_in(", ".join(many).encode())


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([b'"a"', b"W/", b",", b" ", b"*", b'"'])).map(b"".join)
)
def test_no_header_whatever_fails_in_another_way(header: bytes) -> None:
    readers: list[Any] = [tags_in, versions_in]
    for read in readers:
        try:
            read(header)
        except Malformed:
            assert not is_known(header, TAG)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=100))
def test_every_tag_of_ours_is_read_back(version: int, body: bytes) -> None:
    tag = etag(str(version), body)
    assert versions_in(tag) == (str(version),)
    assert is_known(tag, tag)
