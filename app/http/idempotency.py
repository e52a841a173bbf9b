"""Idempotency-Key: a write that is sent again is not done again, but answered with what it was answered.

As draft-ietf-httpapi-idempotency-key-header-07 has it, with these decisions. A key belongs to one user,
method and path, and is kept for 24 hours. The handler runs inside a transaction, in which its answer is kept
too: a process that dies leaves both or neither. So an answer goes out only after the commit. The same key
with another query or body is 422; one whose first request is still under way is 409. Only answers below 400
are kept: a refusal wrote nothing, and the same key may try again. An answer that is too large, or says
`Cache-Control: no-store`, is not kept but remembered: sent again, the request is 409, and not done twice.

It stands between the dispatcher and the routes, hand-written ones included. What keeps the answers is a
`Keeper`; services/dotorm_crud_auto has one.
"""

import hashlib
import re
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.access import access_session
from app.http.captured import CapturedAnswer
from orm.errors import Conflict, Invalid, Place, TransactionConflict

LARGEST_KEPT: Final = 1_048_576
"""Bytes of an answer that is kept; as large as a request may be."""

ATTEMPTS: Final = 3
"""Of a request that loses against a concurrent transaction: nothing of it was written or sent."""

HEADER: Final = b"idempotency-key"

_KEY: Final = re.compile(rb"[\x21-\x7e]{1,255}")
_METHODS: Final = frozenset({"POST", "PATCH", "DELETE"})
_DROPPED: Final = frozenset({b"content-length", b"set-cookie", b"date", b"connection", b"transfer-encoding"})
_REPLAYED: Final = (b"idempotency-replayed", b"true")
_POINTER: Final = "/headers/Idempotency-Key"


class Kept(msgspec.Struct, frozen=True):
    """What is known of a request that was carried out. `fingerprint` tells its query and body from others;
    `body` is None where the answer was not to be kept."""

    fingerprint: bytes
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | None


class Keeper(Protocol):
    """Keeps answers, in the database of whoever writes."""

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """A block of which everything is written or nothing, the writes of a handler included."""

    async def claim(self, digest: bytes) -> Kept | None:
        """What was kept under `digest`; None: nothing, and until the transaction ends nobody else gets that
        answer. Raises `in_flight()` when another transaction has it."""

    async def keep(self, digest: bytes, kept: Kept) -> bool:
        """Whether `kept` is stored under `digest` when the transaction commits; False: another one got ahead
        after all."""


class _Overtaken(Exception):
    """Another process kept an answer under the same key in between."""


class _RefusedAnswer(Exception):
    """The handler answered with an error instead of raising one."""


class Idempotency:
    """Answers requests that carry a key, at and below the paths that `prefixes` name, with their slashes."""

    def __init__(self, keeper: Keeper, *, prefixes: tuple[str, ...]) -> None:
        self._keeper = keeper
        self._prefixes = prefixes

    def is_asked(self, path: str, scope: Scope) -> bool:
        """Whether the request carries a key that counts here."""
        return (
            scope["type"] == "http"
            and scope["method"] in _METHODS
            and f"{path}/".startswith(self._prefixes)
            and any(name == HEADER for name, _ in scope["headers"])
        )

    async def answer(self, app: ASGIApp, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `app` answer, or repeat what it answered before. For who is signed in."""
        key = _key_in(scope)
        body = await _whole(receive)
        asker = access_session()
        # What one API key was answered is not for another one of the same user: it may have other scopes.
        who = f"{asker.user_id} {asker.key_id or ''}".encode()
        digest = _digest(who, scope["method"].encode(), path.encode(errors="surrogatepass"), key)
        fingerprint = _digest(scope["query_string"], body)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._once(app, scope, _again(body, receive), digest, fingerprint)
                break
            except TransactionConflict:
                if attempt == ATTEMPTS:
                    raise
            except _Overtaken as error:
                if attempt == ATTEMPTS:
                    raise in_flight() from error
        await answer.give(send)

    async def _once(
        self, app: ASGIApp, scope: Scope, receive: Receive, digest: bytes, fingerprint: bytes
    ) -> CapturedAnswer:
        answer = CapturedAnswer()
        try:
            async with self._keeper.transaction():
                kept = await self._keeper.claim(digest)
                if kept is not None:
                    return _repeated(kept, fingerprint)
                await app(scope, receive, answer.send)
                if answer.status >= 400:
                    raise _RefusedAnswer
                if not await self._keeper.keep(digest, _kept(answer, fingerprint)):
                    raise _Overtaken
        except _RefusedAnswer:
            pass  # taken back, and answered all the same
        return answer


def _kept(answer: CapturedAnswer, fingerprint: bytes) -> Kept:
    headers = [(name, value) for name, value in answer.headers if name not in _DROPPED]
    is_secret = any(name == b"cache-control" and b"no-store" in value for name, value in headers)
    body = None if is_secret or answer.size > LARGEST_KEPT else answer.body
    return Kept(fingerprint, answer.status, headers, body)


def _repeated(kept: Kept, fingerprint: bytes) -> CapturedAnswer:
    if kept.fingerprint != fingerprint:
        sentence = "This key was used for another query or body: take a new one for each request."
        raise Invalid(sentence, errors=(Place(_POINTER, "reused", sentence),))
    if kept.body is None:
        sentence = (
            f"This request was carried out before, and answered with {kept.status}; "
            "the answer was not one to be kept. Read what it wrote."
        )
        raise Conflict(sentence, errors=(Place(_POINTER, "not_kept", sentence),))
    headers = [*kept.headers, _REPLAYED]
    if kept.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(kept.body)))
    return CapturedAnswer(kept.status, headers, kept.body)


def _key_in(scope: Scope) -> bytes:
    keys: list[bytes] = [value for name, value in scope["headers"] if name == HEADER]
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        sentence = "Idempotency-Key is given once, 1 to 255 visible ASCII characters."
        raise Invalid(sentence, errors=(Place(_POINTER, "format", sentence),))
    return keys[0]


def _digest(*parts: bytes) -> bytes:
    """A hash that tells apart what is told apart by `parts`, wherever one ends and the next begins."""
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).digest()


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, and then what comes after it."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def in_flight() -> Conflict:
    """What is said of a key whose first request is not over."""
    sentence = "A request with this key is under way: come back when it is over."
    return Conflict(sentence, errors=(Place(_POINTER, "in_flight", sentence),))
