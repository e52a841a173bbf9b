"""POST /api/batch: several requests as one, of which all are carried out or none.

    [{"method": "POST", "path": "/api/people", "body": {"name": "Ada"}},
     {"method": "POST", "path": "/api/tasks", "body": {"title": "sow", "owner_id": {"$ref": "0.id"}}}]

Each entry goes through the dispatcher like a request of its own, hand-written routes below /api included, in
one transaction. The first that fails ends it: its status is the answer's, and its places begin with its
number, `/1/body/title`.
"""

import asyncio
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import Malformed, MethodNotAllowed, NotFound
from app.crud.incoming import move_below, read_body, refuse_query
from app.crud.references import WORD, filled_in, path_filled_in
from app.http.bodies import Body, BodyDecoder
from app.http.captured import LARGEST_CAPTURED, CapturedAnswer
from app.http.json import encode
from app.http.places import step
from app.http.replies import send_json
from orm import context
from orm.errors import Invalid, Place, Problem, RecordNotFound, StatementTimeout

NAME: Final = "batch"
"""The segment of the path below the prefix."""

MOST_ENTRIES: Final = 100

RETRIES: Final = 2
"""Of a batch that loses against a concurrent transaction: nothing of it was written."""

_HEADERS: Final = ("if-match", "if-none-match")
_KEPT_TO_ONESELF: Final = frozenset({b"content-length", b"content-type"})
_SHARED: Final = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "app", "state")
_JSON: Final = b"application/json"


class Entry(Body):
    """One request. `path` is one below /api, with its query; `headers` may be If-Match and If-None-Match."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Meta(max_length=8192)]
    body: Raw | UnsetType = UNSET
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class EntryAnswer(msgspec.Struct, gc=False):
    """What one entry was answered: `headers` by lower-case name, the body as JSON, null where there is none,
    a text where it was none."""

    status: int
    headers: dict[str, str]
    body: Any


class BatchAnswer(msgspec.Struct, gc=False):
    """The answers, in the order of the entries."""

    data: list[EntryAnswer]


_LIST: Final = cast("type[list[Entry]]", Annotated[list[Entry], Meta(max_length=MOST_ENTRIES)])

batch_body: Final = BodyDecoder(_LIST)
"""Decodes the body of POST /api/batch."""


class Batch:
    """Answers batches: `dispatcher` is what answers their entries, `seconds` how long one may take."""

    def __init__(self, dispatcher: ASGIApp, *, prefix: str, seconds: float) -> None:
        self._dispatcher = dispatcher
        self._prefix = prefix
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /api/batch."""
        refuse_query(scope)
        entries = batch_body.decode(await read_body(scope, receive))
        transaction = context.current().db.transaction(retries=RETRIES)
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                answers = await transaction(self._answer_all)(entries, scope)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StatementTimeout(f"This batch takes longer than {self._seconds:g} seconds.") from error
        await send_json(send, 200, encode(BatchAnswer(answers)))

    async def _answer_all(self, entries: list[Entry], scope: Scope) -> list[EntryAnswer]:
        run = _Run(self._dispatcher, self._prefix, scope)
        for entry in entries:
            await run.answer(entry)
        return run.answers


class _Run:
    """One attempt at one batch."""

    def __init__(self, dispatcher: ASGIApp, prefix: str, scope: Scope) -> None:
        self.answers: list[EntryAnswer] = []
        self._dispatcher = dispatcher
        self._prefix = prefix
        self._scope = scope
        self._results: list[Any] = []  # the bodies that references are looked up in
        self._left = LARGEST_CAPTURED

    async def answer(self, entry: Entry) -> None:
        """Carry out the next entry. Raises whatever it fails with, its places below its number."""
        number = len(self.answers)
        try:
            scope, body = self._prepared(entry)
        except Problem as problem:
            move_below(problem, f"/{number}")
            raise
        captured = CapturedAnswer()
        try:
            await self._dispatcher(scope, _receive(body), captured.send)
        except (NotFound, MethodNotAllowed) as unknown:
            raise _of_entry(unknown, _places(unknown, entry, number)) from unknown
        except Problem as problem:
            problem.errors = _places(problem, entry, number)
            raise
        if captured.status >= 400:  # answered by hand instead of raised
            raise HTTPException(captured.status, f"Entry {number} was answered with {captured.status}.")
        self._left -= captured.size
        if self._left < 0:
            raise _wrong(f"/{number}", "too_large", "The answers of this batch are too large: ask for less.")
        self.answers.append(_answer(captured))
        self._results.append(_result(captured))

    def _prepared(self, entry: Entry) -> tuple[Scope, bytes]:
        """The scope and the body of an entry. Raises Problem, its places within the entry."""
        scope, body = self._scope_of(entry), b""
        if entry.body is not UNSET:
            body = bytes(entry.body)
            if WORD.encode() in body:
                body = self._filled_in(body)
            scope["headers"] += [(b"content-type", _JSON), (b"content-length", b"%d" % len(body))]
        return scope, body

    def _filled_in(self, body: bytes) -> bytes:
        try:
            return encode(filled_in(msgspec.json.decode(body), self._results, "/body"))
        except RecursionError as error:
            sentence = "The body is nested too deep."
            raise Malformed(sentence, errors=(Place("/body", "too_deep", sentence),)) from error

    def _scope_of(self, entry: Entry) -> Scope:
        path, _, query = entry.path.partition("?")
        try:
            whole = path_filled_in(unquote(path, errors="strict"), self._results, "/path")
            query_string = query.encode("ascii")
        except UnicodeError:
            raise _wrong("/path", "format", "A path is ASCII, and escapes are of UTF-8.") from None
        segments = whole.split("/")
        if segments[:2] != ["", self._prefix]:
            raise _wrong("/path", "not_api", f"A batch is of paths below /{self._prefix}/.")
        if segments[2:] == [NAME] or segments[3:] == ["export"]:
            raise _wrong("/path", "not_in_batch", f"{whole} cannot be asked for in a batch.")
        scope: dict[str, Any] = {name: self._scope[name] for name in _SHARED if name in self._scope}
        root = scope.get("root_path", "")
        return scope | {
            "method": entry.method,
            "path": root + whole,
            "raw_path": (root + whole).encode(),
            "query_string": query_string,
            "headers": _headers(entry),
        }


class _NotAllowedInside(Problem):
    """An entry's path does not know its method, which says nothing of the batch's own."""

    code = "method_not_allowed"


def _of_entry(unknown: NotFound | MethodNotAllowed, places: tuple[Place, ...]) -> Problem:
    """What is raised for a path or method that the dispatcher does not know: it must not be taken for the
    batch's own."""
    kind = RecordNotFound if isinstance(unknown, NotFound) else _NotAllowedInside
    return kind(unknown.detail, errors=places)


def _places(problem: Problem, entry: Entry, number: int) -> tuple[Place, ...]:
    """Where in the batch an entry is wrong: in its body, its query or its headers."""
    if not problem.errors:
        return (Place(f"/{number}", problem.code, problem.detail),)
    found = []
    for place in problem.errors:
        is_query = "?" in entry.path and f"{place.pointer}/".startswith("/query/")
        inside = "" if is_query or place.pointer.startswith("/headers/") else "/body"
        found.append(Place(f"/{number}{inside}{place.pointer}", place.code, place.message))
    return tuple(found)


def _headers(entry: Entry) -> list[tuple[bytes, bytes]]:
    found = []
    for name, value in entry.headers.items():
        place = "/headers" + step(name)
        if name.lower() not in _HEADERS:
            raise _wrong(place, "unknown", "An entry may have the headers If-Match and If-None-Match.")
        if not (value.isascii() and value.isprintable()):
            raise _wrong(place, "format", "A header is of visible ASCII characters and blanks.")
        found.append((name.lower().encode("ascii"), value.encode("ascii")))
    return found


def _answer(captured: CapturedAnswer) -> EntryAnswer:
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in captured.headers
        if name not in _KEPT_TO_ONESELF
    }
    body: Any = None
    if captured.size:
        body = Raw(captured.body) if _is_json(captured) else captured.body.decode(errors="replace")
    return EntryAnswer(captured.status, headers, body)


def _result(captured: CapturedAnswer) -> Any:
    return msgspec.json.decode(captured.body) if captured.size and _is_json(captured) else None


def _is_json(captured: CapturedAnswer) -> bool:
    return any(name == b"content-type" and value.startswith(_JSON) for name, value in captured.headers)


def _receive(body: bytes) -> Receive:
    """A `receive` that gives one body; its client does not leave while the batch is under way."""
    is_given = False

    async def receive() -> Message:
        nonlocal is_given
        if is_given:
            await asyncio.Event().wait()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _wrong(pointer: str, code: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors=(Place(pointer, code, sentence),))
