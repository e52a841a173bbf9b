"""GET /api/{route}/export: all rows that pass a filter, as a file, in constant memory.

The rows are read through a cursor on the server, all of one moment, a batch at a time, and each batch is sent
before the next one is read. A file that cannot be finished must not look finished: its last chunk is never
sent, and the connection is closed. HTTP/1.0 has no chunks and ends every body that way, so it gets none.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.core.errors import Malformed
from app.crud.bounds import to_many_in
from app.crud.csv_lines import Column, column, head, lines
from app.crud.incoming import move_below
from app.crud.query import ExportQuery, export_in
from app.crud.resource import Resource
from app.http.json import encode
from orm.errors import Invalid, Place, Problem, StatementTimeout
from orm.metadata import ModelMeta
from orm.verbs.read import Reading, many

BATCH: Final = 500
"""Rows in memory: some hundred kilobytes."""


class ExportCutShortError(Exception):
    """An export was not done in time, after a part of it had been sent."""


class _Format(NamedTuple):
    """What a file is called, what it begins with, and what each batch of rows becomes in it."""

    suffix: str
    media_type: bytes
    head: bytes
    chunk: Callable[[Sequence[msgspec.Struct]], bytes]


async def export_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}/export."""
    wanted = export_in(scope["query_string"])
    if scope["http_version"] == "1.0":
        raise Malformed(
            "An export is sent in chunks, which HTTP/1.0 does not have: "
            "use HTTP/1.1 (a proxy may need to be told)."
        )
    limits = resource.exports.limits
    if wanted.limit is not None and wanted.limit > limits.rows:
        sentence = f"`limit` is a whole number from 1 to {limits.rows}."
        raise Invalid(sentence, errors=(Place("/query/limit", "range", sentence),))
    try:
        reading = _reading(resource, wanted)
    except Problem as problem:
        move_below(problem, "/query")
        raise
    export = _Export(resource, wanted, reading)
    if scope["method"] == "HEAD":
        await export.send_head(send)
        return
    with resource.exports.place():
        await export.run(receive, send)


class _Export:
    """One export under way."""

    def __init__(self, resource: Resource, wanted: ExportQuery, reading: Reading) -> None:
        self._resource = resource
        self._wanted = wanted
        self._reading = reading
        self._format = _format(wanted, reading)
        self._has_begun = False

    async def run(self, receive: Receive, send: Send) -> None:
        """Send the file. Raises ClientDisconnect, ExportCutShortError, and before its first part
        StatementTimeout."""
        seconds = self._resource.exports.limits.seconds
        limit = asyncio.timeout(seconds)
        leaving = asyncio.create_task(_until_gone(receive), name="export watches its client")
        try:
            async with limit:
                await self._send_all(send, leaving)
        except TimeoutError as error:
            if not limit.expired():
                raise
            if self._has_begun:
                raise ExportCutShortError(f"an export took longer than {seconds:g} seconds") from error
            raise StatementTimeout(f"This export takes longer than {seconds:g} seconds.") from error
        finally:
            leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await leaving

    async def send_head(self, send: Send) -> None:
        """Answer without rows, and without asking for any."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
        await send({"type": "http.response.body", "body": b""})

    async def _send_all(self, send: Send, leaving: "asyncio.Task[None]") -> None:
        db, left = self._reading.scope.db, self._wanted.limit
        most = self._resource.exports.limits.rows
        async with db.transaction(isolation="repeatable read", readonly=True) as transaction:
            if left is None:
                left = most
                await self._refuse_too_many(most)
            cursor = await transaction.open_cursor(self._reading.text, self._reading.values)
            chunk = self._format.head
            while left and (rows := await cursor.fetch(min(BATCH, left))):
                left -= len(rows)
                chunk += self._format.chunk(await self._reading.payload(rows))
                await self._send(chunk, send, leaving)
                chunk = b""
        # Also where there are no rows: then the head alone is the file.
        await self._send(chunk, send, leaving)
        await send({"type": "http.response.body", "body": b""})

    async def _send(self, chunk: bytes, send: Send, leaving: "asyncio.Task[None]") -> None:
        if leaving.done():  # nobody is there: to the server, sending would seem to succeed
            raise ClientDisconnect
        if not self._has_begun:
            self._has_begun = True
            await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _refuse_too_many(self, most: int) -> None:
        """Raise Invalid when there are more rows than an export may have: a part must not pass for all."""
        beyond = many(self._resource.cls, self._wanted.filter, ["id"], limit=1, offset=most, api=True)
        if await beyond.rows():
            sentence = (
                f"More than {most} rows pass: narrow the filter, or say with `limit` that a part will do."
            )
            raise Invalid(sentence, errors=(Place("/query/filter", "too_many", sentence),))

    def _headers(self) -> list[tuple[bytes, bytes]]:
        # The route is one plain segment of a path, so the name needs no quoting.
        name = f"{self._resource.meta.route}.{self._format.suffix}".encode("ascii")
        return [
            (b"content-type", self._format.media_type),
            (b"content-disposition", b'attachment; filename="' + name + b'"'),
        ]


def _reading(resource: Resource, wanted: ExportQuery) -> Reading:
    for index, path in enumerate(wanted.fields or ()):
        if to_many_in(resource.meta, path) is not None:
            sentence = f"{path} is more than one row: export the rows of the other model."
            raise Invalid(sentence, errors=(Place(f"/fields/{index}", "to_many", sentence),))
    return many(resource.cls, wanted.filter, wanted.fields, order=wanted.order, api=True)


def _format(wanted: ExportQuery, reading: Reading) -> _Format:
    if wanted.format == "jsonl":
        return _Format("jsonl", b"application/jsonl; charset=utf-8", b"", _json_lines)
    columns = _columns(wanted, reading)

    def chunk(rows: Sequence[msgspec.Struct]) -> bytes:
        return lines(columns, msgspec.json.decode(encode(rows))).encode()

    return _Format("csv", b"text/csv; charset=utf-8; header=present", head(columns).encode(), chunk)


def _json_lines(rows: Sequence[msgspec.Struct]) -> bytes:
    return b"".join([encode(row) + b"\n" for row in rows])


def _columns(wanted: ExportQuery, reading: Reading) -> list[Column]:
    """The id, then what was asked for, each once, in the order asked; or every readable stored field."""
    paths = dict.fromkeys(["id", *(reading.projection.names if wanted.fields is None else wanted.fields)])
    return [column(path, _field_at(reading.scope.meta, path)) for path in paths]


def _field_at(meta: ModelMeta, path: str) -> Any:
    *hops, name = path.split(".")
    for hop in hops:
        meta = meta.targets[hop]
    return meta.fields[name]


async def _until_gone(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
