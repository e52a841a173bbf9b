"""Small files that are served from memory, asked for again by their hash."""

import hashlib

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked for again: then 304 unless a new version was installed
    "Referrer-Policy": "no-referrer",
    # Nothing from elsewhere, nothing inline, in no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class File(msgspec.Struct, frozen=True):
    """A content with its media type; `etag` is quoted, as in the header."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "File":
        """The file of that content."""
        return cls(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def file_answer(request: Request, file: File) -> Response:
    """200 with the file, or 304 for a client that has it."""
    headers = {**_HEADERS, "ETag": file.etag}
    known = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if file.etag in tags or known.strip() == "*":
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers={**headers, "Content-Type": file.media_type})
