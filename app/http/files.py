"""Files that belong to a page: served from memory, asked for again by their hash, under a strict policy."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",  # nothing from elsewhere, nothing inline
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",  # covers the socket of the same host and port, too (CSP 3, section 6.7.2.8)
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy of our own pages."""

MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
"""By ending: what pages are made of. Browsers do not guess: every answer has X-Content-Type-Options."""


class Form(msgspec.Struct, frozen=True):
    """Bytes that travel; `etag` is quoted, as in the header."""

    content: bytes
    etag: str

    @classmethod
    def of(cls, content: bytes) -> "Form":
        """These bytes, known by their hash."""
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


class File(msgspec.Struct, frozen=True):
    """A content with its media type, as it is and packed by gzip: two representations, each with an ETag."""

    media_type: str
    plain: Form
    packed: Form

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "File":
        """The file of that content."""
        # Without a time in it: the same file is the same bytes in every process.
        packed = gzip.compress(content, compresslevel=6, mtime=0)
        return cls(media_type, Form.of(content), Form.of(packed))


def read_files(package: str, folder: str) -> Mapping[str, File]:
    """The files of a package's folder by name, without those whose ending is not in MEDIA_TYPES.

    They change with the program only, and are read when its start imports them, like the statements in sql/.
    """
    found = {}
    for file in files(package).joinpath(folder).iterdir():
        media_type = MEDIA_TYPES.get("." + file.name.rpartition(".")[2])
        if media_type is not None:
            found[file.name] = File.of(file.read_bytes(), media_type)
    return MappingProxyType(found)


def file_answer(request: Request, file: File, *, policy: str = PAGE_POLICY) -> Response:
    """200 with the file, packed for a client that accepts it, or 304 without it for one that has it."""
    is_packed = accepts_gzip(request.headers.get("accept-encoding", ""))
    form = file.packed if is_packed else file.plain
    headers = {
        "ETag": form.etag,
        "Vary": "Accept-Encoding",
        # Kept, and asked about each time: files that are changed together are seen together.
        "Cache-Control": "no-cache",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    if is_known(request.headers.get("if-none-match"), form.etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = file.media_type
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return Response(form.content, headers=headers)


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not to refuse it (RFC 9110, section 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the header If-None-Match names this ETag, by weak comparison (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    offered = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in offered or "*" in offered
