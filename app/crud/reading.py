"""Handlers that read: one row by id, and the rows that a search finds."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.types import Receive, Scope, Send

from app.crud.bounds import bounded
from app.crud.counting import estimated_count, sees_every_row
from app.crud.incoming import move_below, read_body, refuse_query
from app.crud.links import links, path_outside, query_of
from app.crud.preconditions import send_row
from app.crud.query import Search, search_body, search_in
from app.crud.resource import Resource
from app.http.json import encode
from app.http.replies import send_json
from orm.errors import AccessDenied, Problem, RecordNotFound
from orm.model import DotModel
from orm.verbs.read import many, one, search_count
from orm.verbs.scope import NOTHING


class Page(msgspec.Struct, gc=False):
    """The rows that a search found. `next` is the cursor of the page behind it, None on the last one."""

    data: list[Any]
    next: str | None = None
    total: int | UnsetType = UNSET


class _OnlyId(msgspec.Struct, gc=False):
    """A row of which nothing else may be told."""

    id: int


async def read_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}/{id}."""
    query = scope["query_string"]
    fields, nested = resource.selections.of(query) if query else (None, NOTHING)
    try:
        reading = one(resource.cls, id, fields, nested=nested, versioned=True, api=True)
    except Problem as problem:
        move_below(problem, "/query")
        raise
    rows = await reading.rows()
    if not rows:
        raise RecordNotFound(f"there is no {resource.meta.name} {id}")
    body = encode((await reading.payload(rows))[0])
    await send_row(scope, send, rows[0][-1], body)


async def list_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}."""
    query = scope["query_string"]
    search = search_in(query)
    try:
        page = await _find(resource, search)
    except Problem as problem:
        move_below(problem, "/query")
        raise
    neighbours = links(path_outside(scope, resource.path), query.decode("ascii"), page.next)
    await send_json(send, 200, encode(page), neighbours)


async def search_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}/search."""
    refuse_query(scope)
    search = search_body.decode(await read_body(scope, receive))
    page = await _find(resource, search)
    neighbours = None
    if not search.nested:
        neighbours = links(path_outside(scope, resource.path), query_of(search), page.next)
    await send_json(send, 200, encode(page), neighbours)


async def rows_shown(cls: type[DotModel], ids: Sequence[int]) -> list[Any]:
    """The rows of these ids, in their order, as far as the asker may read them: at least their ids.

    They were written by him just now; one that is gone again is its id alone.
    """
    try:
        reading = many(cls, [["id", "in", list(ids)]], api=True)
    except AccessDenied:
        return [_OnlyId(number) for number in ids]
    rows: list[Any] = await reading.payload(await reading.rows())
    found = {row.id: row for row in rows}
    return [found.get(number) or _OnlyId(number) for number in ids]


async def _find(resource: Resource, search: Search) -> Page:
    cls = resource.cls
    is_estimated = search.count == "estimated" and sees_every_row(cls, search.filter)
    is_counted = search.count != "none" and not is_estimated
    nested: Mapping[str, Any] = search.nested
    if nested or search.fields is not None:
        nested = bounded(resource.meta, search.fields, nested, search.limit)
    reading = many(
        cls,
        search.filter,
        search.fields,
        nested=nested,
        order=search.order,
        limit=search.limit,
        offset=search.offset,
        after=search.after,
        counted=is_counted,
        api=True,
    )
    rows = await reading.rows()
    page = Page(*await reading.json_page(rows))
    total = reading.total(rows) if is_counted else None
    if total is not None:
        page.total = total
    elif is_counted or is_estimated:
        page.total = await _total(cls, search, page, is_estimated=is_estimated)
    return page


async def _total(cls: type[DotModel], search: Search, page: Page, *, is_estimated: bool) -> int:
    """The total where no row of the page tells it."""
    is_last = page.next is None and search.after is None
    if is_last and (page.data or not search.offset):
        return search.offset + len(page.data)  # all that come before it were passed over
    if is_estimated:
        return await estimated_count(cls, search.filter)
    return await search_count(cls, search.filter, api=True)
