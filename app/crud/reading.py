"""Handlers that read: one row by id, and the rows that a search finds."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.types import Receive, Scope, Send

from app.crud.incoming import move_below, read_body, refuse_query
from app.crud.query import Search, fields_in, search_body, search_in
from app.crud.resource import Resource
from app.http.json import encode
from app.http.replies import send_json
from orm.errors import Problem, RecordNotFound
from orm.verbs.read import many, one, search_count


class Page(msgspec.Struct, gc=False):
    """The rows that a search found. `next` is the cursor of the page behind it, None on the last one."""

    data: list[Any]
    next: str | None = None
    total: int | UnsetType = UNSET


async def read_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}/{id}."""
    query = scope["query_string"]
    fields = fields_in(query) if query else None
    try:
        reading = one(resource.cls, id, fields, api=True)
    except Problem as problem:
        move_below(problem, "/query")
        raise
    rows = await reading.rows()
    if not rows:
        raise RecordNotFound(f"there is no {resource.meta.name} {id}")
    await send_json(send, 200, encode((await reading.payload(rows))[0]))


async def list_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """GET /api/{route}."""
    search = search_in(scope["query_string"])
    try:
        page = await _find(resource, search)
    except Problem as problem:
        move_below(problem, "/query")
        raise
    await send_json(send, 200, encode(page))


async def search_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}/search."""
    refuse_query(scope)
    search = search_body.decode(await read_body(scope, receive))
    await send_json(send, 200, encode(await _find(resource, search)))


async def _find(resource: Resource, search: Search) -> Page:
    is_counted = search.count == "exact"
    reading = many(
        resource.cls,
        search.filter,
        search.fields,
        nested=search.nested,
        order=search.order,
        limit=search.limit,
        offset=search.offset,
        after=search.after,
        counted=is_counted,
        api=True,
    )
    rows = await reading.rows()
    page = Page(*await reading.json_page(rows))
    if rows and is_counted:
        page.total = rows[0][-1]
    elif is_counted:
        # Only behind the last row there is none that could say how many there are.
        is_behind = search.offset or search.after is not None
        page.total = await search_count(resource.cls, search.filter, api=True) if is_behind else 0
    return page
