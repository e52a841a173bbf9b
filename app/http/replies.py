"""Answers: how what a handler returns travels to the client."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http import json

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # known to every type checker, and not needed to run

    Content = TypeVar("Content", default=Any, covariant=True)
else:
    from typing import TypeVar

    Content = TypeVar("Content", covariant=True)

RawHeaders = list[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")


class Reply(msgspec.Struct, Generic[Content], frozen=True):
    """An answer whose status or headers are not the route's usual ones: `Reply[Message]` says what its body
    is, to type checkers and to the documentation, a bare `Reply` does not.

    `body` is anything that JSON can carry (`msgspec.Raw` when it is JSON already); None is no body, and then
    the status is 204 unless one is given. `status` None is the route's own. Header values are latin-1, as
    HTTP has it.
    """

    body: Content | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None


async def send_json(send: Send, status: int, body: bytes, headers: RawHeaders | None = None) -> None:
    """Answer with a body that is JSON already. `headers` come on top, with lower-case names."""
    all_headers = [_JSON, (b"content-length", b"%d" % len(body))]
    if headers:
        all_headers += headers
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


async def send_nothing(send: Send, status: int = 204, headers: RawHeaders | None = None) -> None:
    """Answer without a body."""
    all_headers = headers or []
    if status not in (204, 304):  # those two have no body by definition, and must not say how long it is
        all_headers = [(b"content-length", b"0"), *all_headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": b""})


async def send_answer(answer: object, status: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what a handler returned: data, a Reply, a starlette Response, or None for 204."""
    if answer is None:
        await send_nothing(send)
    elif isinstance(answer, Reply):
        await _send_reply(answer, status, send)
    elif isinstance(answer, Response):
        await answer(scope, receive, send)
    else:
        await send_json(send, status, json.encode(answer))


async def _send_reply(reply: Reply[Any], status: int, send: Send) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (reply.headers or {}).items()
    ]
    if reply.body is None:
        await send_nothing(send, reply.status or 204, headers)
    else:
        await send_json(send, reply.status or status, json.encode(reply.body), headers)
