"""Handlers that write: create, change and delete, one row or many."""

from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from app.crud.incoming import move_below, read_body, refuse_query
from app.crud.links import path_outside
from app.crud.payloads import condition_body
from app.crud.preconditions import on_version, refuse_blind_write, send_row, versions_wanted
from app.crud.query import on_in
from app.crud.reading import rows_shown
from app.crud.resource import Resource
from app.http.json import encode
from app.http.replies import send_json, send_nothing
from orm.errors import FilterError, Invalid, Place, Problem
from orm.verbs.create import create_row, create_rows
from orm.verbs.delete import delete_many, delete_row
from orm.verbs.update import update_many, update_row
from orm.verbs.upsert import upsert


class Created(msgspec.Struct, gc=False):
    """New rows, in the order in which they were given."""

    data: list[Any]


class Written(msgspec.Struct, gc=False):
    """Rows that were created or changed, in the order in which they were given; `created` are the ids of the
    new ones."""

    data: list[Any]
    created: list[int]


class Counted(msgspec.Struct, gc=False):
    """How many rows were changed or deleted."""

    count: int


async def create(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}: one row from an object, or many from a list, all of them or none.

    With `?on=` a row that has the same values in these fields is changed instead, which is answered with 200.
    """
    on = on_in(scope["query_string"]) if scope["query_string"] else None
    text = await read_body(scope, receive)
    is_list = text.lstrip().startswith(b"[")
    if on is not None:
        await _upsert(resource, on, text, scope, send, is_list=is_list)
    elif is_list:
        records = resource.bodies.creations(resource.meta, text)
        projection, rows = await create_rows(resource.cls, records)
        await send_json(send, 201, encode(Created(projection.payload(rows))))
    else:
        values = resource.bodies.creation(resource.meta, text)
        projection, row = await create_row(resource.cls, values, versioned=True)
        body = encode(projection.payload((row,), extra=1)[0])
        location = _location(resource, scope, row[0])
        await send_row(scope, send, row[-1], body, status=201, headers=[location])


async def change_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """PATCH /api/{route}/{id}."""
    refuse_query(scope)
    versions = versions_wanted(resource, scope)
    values = resource.bodies.change(resource.meta, await read_body(scope, receive))
    projection, row = await on_version(
        versions, lambda version: update_row(resource.cls, id, values, version=version, versioned=True)
    )
    await send_row(scope, send, row[-1], encode(projection.payload((row,), extra=1)[0]))


async def remove_row(resource: Resource, id: int, scope: Scope, receive: Receive, send: Send) -> None:
    """DELETE /api/{route}/{id}."""
    refuse_query(scope)
    versions = versions_wanted(resource, scope)
    await on_version(versions, lambda version: delete_row(resource.cls, id, version=version, api=True))
    await send_nothing(send)


async def change_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """PATCH /api/{route}: the same change for every row that passes a filter."""
    refuse_query(scope)
    refuse_blind_write(resource)
    body = resource.bodies.bulk_change(resource.meta, await read_body(scope, receive))
    places = []
    if not body.values:
        places.append(Place("/values", "empty", "No value to write is named."))
    _check_meant(body.filter, body.all, places)
    try:
        count = await update_many(resource.cls, body.filter, body.values, body.all, api=True)
    except Problem as problem:
        if not _is_about_filter(problem):
            move_below(problem, "/values")
        raise
    await send_json(send, 200, encode(Counted(count)))


async def remove_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}/delete: every row that passes a filter."""
    refuse_query(scope)
    refuse_blind_write(resource)
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


async def _upsert(
    resource: Resource, on: list[str], text: bytes, scope: Scope, send: Send, *, is_list: bool
) -> None:
    refuse_blind_write(resource)
    _check_unique(resource, on)
    bodies = resource.bodies
    records = bodies.creations(resource.meta, text) if is_list else [bodies.creation(resource.meta, text)]
    try:
        written = await upsert(resource.cls, records, on, api=True)
    except Problem as problem:
        if not is_list:  # the only record is the body itself
            problem.errors = tuple(
                Place(place.pointer.removeprefix("/0"), place.code, place.message) for place in problem.errors
            )
        raise
    rows = await rows_shown(resource.cls, [row.id for row in written])
    if is_list:
        created = [row.id for row in written if row.is_new]
        await send_json(send, 200, encode(Written(rows, created)))
    elif written[0].is_new:
        await send_json(send, 201, encode(rows[0]), [_location(resource, scope, written[0].id)])
    else:
        await send_json(send, 200, encode(rows[0]))


def _location(resource: Resource, scope: Scope, id: int) -> tuple[bytes, bytes]:
    return b"location", path_outside(scope, f"{resource.path}/{id}").encode("ascii")


def _check_unique(resource: Resource, on: list[str]) -> None:
    """Raise Invalid for fields that do not tell rows apart; AccessDenied for one that is not to be known."""
    meta = resource.meta
    groups = [names for names in meta.uniques if meta.private.isdisjoint(names)]
    if set(on) not in [set(names) for names in groups] or len(set(on)) != len(on):
        known = "; ".join(",".join(names) for names in groups) or "none"
        sentence = f"These fields are not unique together in {meta.name}; what is: {known}."
        raise Invalid(sentence, errors=(Place("/query/on", "not_unique", sentence),))
