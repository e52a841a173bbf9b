"""Handlers that write: create, change and delete, one row or many."""

from typing import Any
from urllib.parse import quote

import msgspec
from starlette.types import Receive, Scope, Send

from app.crud.incoming import move_below, read_body, refuse_query
from app.crud.payloads import condition_body, given
from app.crud.resource import Resource
from app.http.json import encode
from app.http.replies import send_json, send_nothing
from orm.errors import FilterError, Invalid, Place, Problem
from orm.verbs.create import create_row, create_rows
from orm.verbs.delete import delete_many, delete_row
from orm.verbs.update import update_many, update_row


class Created(msgspec.Struct, gc=False):
    """New rows, in the order in which they were given."""

    data: list[Any]


class Counted(msgspec.Struct, gc=False):
    """How many rows were changed or deleted."""

    count: int


async def create(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}: one row from an object, or many from a list, all of them or none."""
    refuse_query(scope)
    text = await read_body(scope, receive)
    if text.lstrip().startswith(b"["):
        bodies = resource.creation_list.decode(text)
        projection, rows = await create_rows(resource.cls, [given(body) for body in bodies])
        await send_json(send, 201, encode(Created(projection.payload(rows))))
        return
    projection, row = await create_row(resource.cls, given(resource.creation.decode(text)))
    headers = [(b"location", _location(scope, resource, row[0]))]
    await send_json(send, 201, encode(projection.payload((row,))[0]), headers)


async def change_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """PATCH /api/{route}/{id}."""
    refuse_query(scope)
    body = resource.change.decode(await read_body(scope, receive))
    projection, row = await update_row(resource.cls, id, given(body))
    await send_json(send, 200, encode(projection.payload((row,))[0]))


async def remove_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """DELETE /api/{route}/{id}."""
    refuse_query(scope)
    await delete_row(resource.cls, id, api=True)
    await send_nothing(send)


async def change_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """PATCH /api/{route}: the same change for every row that passes a filter."""
    refuse_query(scope)
    body: Any = resource.bulk_change.decode(await read_body(scope, receive))
    values = given(body.values)
    places = []
    if not values:
        places.append(Place("/values", "empty", "No value to write is named."))
    _check_meant(body.filter, body.all, places)
    try:
        count = await update_many(resource.cls, body.filter, values, body.all, api=True)
    except Problem as problem:
        if not _is_about_filter(problem):
            move_below(problem, "/values")
        raise
    await send_json(send, 200, encode(Counted(count)))


async def remove_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}/delete: every row that passes a filter."""
    refuse_query(scope)
    body = condition_body.decode(await read_body(scope, receive))
    _check_meant(body.filter, body.all, [])
    count = await delete_many(resource.cls, body.filter, body.all, api=True)
    await send_json(send, 200, encode(Counted(count)))


def _check_meant(filter: list[Any], all_rows: bool, places: list[Place]) -> None:
    """Raise Invalid for `places`, and for a bulk write on every row that is not said to mean every row."""
    if not filter and not all_rows:
        places = [*places, Place("/filter", "empty", 'There is no condition; "all": true means every row.')]
    if places:
        raise Invalid(places[0].message, errors=places)


def _is_about_filter(problem: Problem) -> bool:
    """Whether the places of a failed bulk change are in its filter: else they are in its values.

    A hidden field is denied in either; a place in the filter is at least two steps deep there.
    """
    return isinstance(problem, FilterError) or any(
        place.pointer.startswith("/filter/") for place in problem.errors
    )


def _location(scope: Scope, resource: Resource, id: int) -> bytes:
    root = scope.get("root_path", "")
    path = f"{resource.path}/{id}"
    return (quote(root) + path if root else path).encode("ascii")
