"""What a request demands of a row before it is answered, or written: If-None-Match and If-Match."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.types import Scope, Send

from app.core.errors import PreconditionRequired
from app.crud.etags import etag, is_known, versions_in
from app.crud.incoming import header_in
from app.crud.relations import wants_if_match
from app.crud.resource import Resource
from app.http.replies import RawHeaders, send_json, send_nothing
from orm.errors import StaleRow

Written = TypeVar("Written")

_NO_VERSION = ""  # what no row has


async def send_row(
    scope: Scope,
    send: Send,
    version: str,
    body: bytes,
    *,
    status: int = 200,
    headers: RawHeaders | None = None,
) -> None:
    """Answer with a row and its tag; a reading whose client knows it already with 304."""
    tag = etag(version, body)
    if scope["method"] in ("GET", "HEAD"):
        known = header_in(scope, b"if-none-match")
        if known is not None and is_known(known, tag):
            await send_nothing(send, 304, [(b"etag", tag)])
            return
    await send_json(send, status, body, [(b"etag", tag), *(headers or ())])


def versions_named(scope: Scope) -> tuple[str, ...] | None:
    """The versions that If-Match names; None: any. Raises Malformed."""
    header = header_in(scope, b"if-match")
    return None if header is None else versions_in(header)


def versions_wanted(resource: Resource, scope: Scope) -> tuple[str, ...] | None:
    """The versions that the row may have for this write; None: any.

    Raises Malformed, and PreconditionRequired where the model wants to be told.
    """
    versions = versions_named(scope)
    if versions is None and wants_if_match(resource.meta):
        raise PreconditionRequired(
            f"A {resource.meta.name} is changed by who says which version he has read: "
            "send its ETag as If-Match."
        )
    return versions


def refuse_blind_write(resource: Resource) -> None:
    """Raise PreconditionRequired where rows are changed one by one only."""
    if wants_if_match(resource.meta):
        raise PreconditionRequired(
            f"Rows of {resource.path} are changed one by one, each with If-Match: this route cannot say it."
        )


async def on_version(
    versions: tuple[str, ...] | None, write: Callable[[str | None], Awaitable[Written]]
) -> Written:
    """What `write` gives back for the version that the row turns out to have.

    Raises StaleRow when it has none of `versions`, and whatever `write` raises.
    """
    if versions is None:
        return await write(None)
    for version in versions[:-1]:
        try:
            return await write(version)
        except StaleRow:
            continue  # each attempt writes only the version that it names
    return await write(versions[-1] if versions else _NO_VERSION)
