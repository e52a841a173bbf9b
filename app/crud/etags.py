"""Entity tags (RFC 9110, section 8.8.3): what a client may say of the version that it knows. Pure.

A tag is `"<version>-<hash>"`: the version of the row in the database, and a hash of the bytes that were
answered. Two askers, or two lists of fields, get different tags of the same row. Reading compares the whole
tag: what hangs on the row may have changed though the row has not. Writing compares the version: it is about
the row, whatever was seen of it.
"""

import hashlib
import re
from typing import Final, NamedTuple

from app.core.errors import Malformed

MOST_VERSIONS: Final = 10
"""Versions in one If-Match; each may cost a statement."""

_HASH_BYTES: Final = 8

_TAG: Final = re.compile(rb'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_BETWEEN: Final = re.compile(rb"[ \t,]*")
_OURS: Final = re.compile(rb"([0-9]{1,10})-[0-9a-f]{16}")


class Tag(NamedTuple):
    """One entity tag: what stands between the quotes, and whether it is a weak one."""

    opaque: bytes
    is_weak: bool


def etag(version: str, body: bytes) -> bytes:
    """The strong tag of a row of that version, answered by `body`."""
    return f'"{version}-{hashlib.blake2b(body, digest_size=_HASH_BYTES).hexdigest()}"'.encode("ascii")


def tags_in(header: bytes) -> list[Tag] | None:
    """The tags that a header lists; None for `*`. Raises Malformed for anything else."""
    text = header.strip(b" \t")
    if text == b"*":
        return None
    found: list[Tag] = []
    at = _end(_BETWEEN, text, 0)
    while at < len(text):
        tag = _TAG.match(text, at)
        if tag is None:
            raise _malformed()
        found.append(Tag(tag["opaque"], tag["weak"] is not None))
        at = _end(_BETWEEN, text, tag.end())
        if at < len(text) and b"," not in text[tag.end() : at]:
            raise _malformed()
    if not found:
        raise _malformed()
    return found


def is_known(header: bytes, tag: bytes) -> bool:
    """Whether If-None-Match names what `tag` stands for: `*` names everything, weak tags count too.

    A header that cannot be read names nothing: the whole answer is never wrong.
    """
    try:
        tags = tags_in(header)
    except Malformed:
        return False
    return tags is None or any(one.opaque == tag[1:-1] for one in tags)


def versions_in(header: bytes) -> tuple[str, ...] | None:
    """The versions that If-Match names, each once; None for `*`, which is any.

    Weak tags match nothing here, nor do tags that are not ours. Raises Malformed for what is no list of
    tags: to pass it over would write what the client meant to guard.
    """
    tags = tags_in(header)
    if tags is None:
        return None
    ours = (_OURS.fullmatch(tag.opaque) for tag in tags if not tag.is_weak)
    versions = tuple(dict.fromkeys(found[1].decode("ascii") for found in ours if found is not None))
    if len(versions) > MOST_VERSIONS:
        raise Malformed(f"If-Match names more than {MOST_VERSIONS} versions.")
    return versions


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at


def _malformed() -> Malformed:
    return Malformed(
        'If-Match and If-None-Match are * or a list of entity tags, such as "731-0a1b2c3d4e5f6071".'
    )
