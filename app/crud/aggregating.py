"""POST /api/{route}/aggregate: figures over the rows that pass a filter, in groups."""

from types import MappingProxyType
from typing import Any, Final

import msgspec
from starlette.types import Receive, Scope, Send

from app.crud.incoming import read_body, refuse_query
from app.crud.resource import Resource
from app.http.bodies import Body, BodyDecoder
from app.http.json import encode
from app.http.replies import send_json
from orm.errors import Invalid, Place, Problem
from orm.verbs.aggregate import MAX_GROUPS, aggregate

_COUNT: Final = MappingProxyType({"count": ("count", "id")})


class Aggregation(Body):
    """What to reckon: `values` are figures by name, each a function (count, sum, avg, min, max) and a field;
    without any, how many rows there are.

    `group_by` are names of fields, dotted through to-one relations, a time with the unit that it is cut down
    to: `created_at:month` (year, quarter, month, week, day, hour, minute; in UTC).
    """

    filter: list[Any] = msgspec.field(default_factory=list)
    group_by: list[str] = msgspec.field(default_factory=list)
    values: dict[str, tuple[str, str]] = msgspec.field(default_factory=lambda: dict(_COUNT))


class Figures(msgspec.Struct, gc=False):
    """An object for each group, by its keys: the keys and the figures under their names."""

    data: list[dict[str, Any]]


aggregation_body: Final = BodyDecoder(Aggregation)


async def aggregate_rows(resource: Resource, scope: Scope, receive: Receive, send: Send) -> None:
    """POST /api/{route}/aggregate."""
    refuse_query(scope)
    wanted = aggregation_body.decode(await read_body(scope, receive))
    try:
        rows = await aggregate(resource.cls, wanted.filter, wanted.group_by, wanted.values, api=True)
    except Problem as problem:
        problem.errors = tuple(map(_in_body, problem.errors))
        raise
    if len(rows) >= MAX_GROUPS:  # whether there are more nobody knows: a part must not pass for the whole
        sentence = f"These are {MAX_GROUPS} groups or more: narrow the filter, or group by less."
        raise Invalid(sentence, errors=(Place("/group_by", "too_many", sentence),))
    await send_json(send, 200, encode(Figures(rows)))


def _in_body(place: Place) -> Place:
    """The verb reads the keys of groups as fields."""
    pointer = place.pointer
    if pointer.startswith("/fields"):
        pointer = "/group_by" + pointer.removeprefix("/fields")
    return Place(pointer, place.code, place.message)
