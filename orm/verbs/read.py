"""Reading rows: get, search, count, exists, refresh."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from orm.builder import select as build
from orm.cursor import read_cursor, write_cursor
from orm.errors import FilterError, Place, RecordNotFound
from orm.filters.parse import BoundFilter, Shape
from orm.ordering import Order, parse_order
from orm.page import Page
from orm.projection import Arguments, Projection
from orm.verbs.branches import fill_branches
from orm.verbs.scope import NOTHING, Scope

if TYPE_CHECKING:
    from orm.model import DotModel

M = TypeVar("M", bound="DotModel")

BY_ID: Final[Shape] = ("cmp", "id", "=")

_LOCKS: Final = {
    "update": "FOR UPDATE",
    "no key update": "FOR NO KEY UPDATE",
    "share": "FOR SHARE",
    "key share": "FOR KEY SHARE",
}


@dataclass(slots=True)
class Reading:
    """A read that is ready to run: what becomes of the rows, the statement and its values.

    `paging` is there when the rows are a page that another one may follow. The rows of one that a client
    of the API asks for are made for `payload`."""

    scope: Scope
    projection: Projection
    arguments: Arguments
    text: str
    values: list[Any]
    extra: int = 0
    paging: "Paging | None" = None

    async def rows(self) -> list[Any]:
        """The rows as the driver gives them."""
        return await self.scope.db.run(self.text, self.values)

    async def records(self, rows: Sequence[Any]) -> "list[DotModel]":
        """Records of `rows`, in their order, their to-many relations filled in."""
        records = self.projection.load(rows, extra=self.extra)
        if self.projection.branches:
            await fill_branches(self.scope, self.projection, self.arguments, records, as_json=False)
        return records

    async def payload(self, rows: Sequence[Any]) -> list[msgspec.Struct]:
        """`rows` as Structs that encode to the JSON of the API, in their order, likewise."""
        structs = self.projection.payload(rows, extra=self.extra)
        if self.projection.branches:
            await fill_branches(self.scope, self.projection, self.arguments, structs, as_json=True)
        return structs

    async def json_page(self, rows: Sequence[Any]) -> tuple[list[msgspec.Struct], str | None]:
        """What `payload` gives of a page for the API, and the cursor of the next one, or None when nothing
        follows."""
        if self.paging is None or len(rows) <= self.paging.limit:
            return await self.payload(rows), None
        page = rows[: self.paging.limit]
        return await self.payload(page), self.paging.cursor(self.scope, page[-1])


@dataclass(frozen=True, slots=True)
class Paging:
    """What a cursor is bound to, and where in a row the values of the order stand."""

    limit: int
    order: Order
    filter: BoundFilter
    positions: tuple[int, ...]

    def cursor(self, scope: Scope, row: Any) -> str:
        """The cursor of the page that begins after `row`."""
        values = [row[position] for position in self.positions]
        return write_cursor(scope.registry.cursor_key, scope.meta, self.order, self.filter, values)


def one(
    cls: "type[DotModel]",
    id: int,
    fields: Sequence[str] | None = None,
    *,
    nested: Mapping[str, Any] = NOTHING,
    lock: str | None = None,
    api: bool = False,
) -> Reading:
    """The reading of one row by id. `api`: a client of the API asks (see Scope)."""
    scope = Scope(cls, "read", api=api)
    projection, arguments = scope.project(fields, nested)
    rule = scope.rule
    clause = _lock_clause(lock)
    text = scope.registry.texts.get(
        ("one", projection, rule, clause, api),
        lambda: build.select(scope.meta, projection, (BY_ID, rule), order=(), lock=clause, as_json=api),
    )
    return Reading(scope, projection, arguments, text, [*arguments.joins, _row_id(id), *scope.rule_values])


def many(
    cls: "type[DotModel]",
    filter: Sequence[Any] = (),
    fields: Sequence[str] | None = None,
    *,
    nested: Mapping[str, Any] = NOTHING,
    order: str | Sequence[str] | None = None,
    limit: int | None = None,
    offset: int = 0,
    after: str | None = None,
    counted: bool = False,
    api: bool = False,
) -> Reading:
    """The reading of the rows that pass `filter`. `api`: a client of the API asks (see Scope).

    With a `limit` the rows are a page (see Paging); for the API one more row is fetched, which says
    whether another page follows. `after` is a cursor. `counted` puts behind the last column how many rows
    pass in all, the same in every row: no second round trip. Where `offset` lies beyond the last row there
    is none to say it, and `search_count` must be asked."""
    scope = Scope(cls, "read", api=api)
    projection, arguments = scope.project(fields, nested)
    parsed = scope.parse(filter)
    terms = parse_order(scope.meta, order, hidden=scope.grant.hidden, pointer=scope.place("order"))
    rule = scope.rule
    values = [*arguments.joins, *parsed.values, *scope.rule_values]
    nulls: tuple[bool, ...] | None = None
    if after is not None:
        last = read_cursor(
            scope.registry.cursor_key, scope.meta, terms, parsed, after, pointer=scope.place("after")
        )
        nulls = tuple(value is None for value in last)
        values += [value for value in last if value is not None]
    paging, extra = _paging(projection, parsed, terms, limit)
    if limit is not None:
        values.append(limit + 1 if api else limit)
    if offset:
        values.append(_natural(offset, "offset"))
    text = scope.registry.texts.get(
        (
            "many",
            projection,
            parsed.shape,
            rule,
            terms,
            nulls,
            extra,
            limit is not None,
            bool(offset),
            counted,
            api,
        ),
        lambda: build.select(
            scope.meta,
            projection,
            (parsed.shape, rule),
            order=terms,
            limited=limit is not None,
            skipping=bool(offset),
            counted=counted,
            as_json=api,
            extra=extra,
            nulls=nulls,
        ),
    )
    return Reading(scope, projection, arguments, text, values, len(extra) + counted, paging)


def _paging(
    projection: Projection, filter: BoundFilter, order: Order, limit: int | None
) -> tuple[Paging | None, tuple[str, ...]]:
    """How pages go on, and the columns of the order that the projection does not fetch by itself."""
    if limit is None:
        return None, ()
    _natural(limit, "limit")
    extra = tuple(name for name, _ in order if name not in projection.names)
    width = projection.width
    positions = tuple(
        projection.names.index(name) if name in projection.names else width + extra.index(name)
        for name, _ in order
    )
    return Paging(limit, order, filter, positions), extra


async def get(
    cls: type[M],
    id: int,
    fields: Sequence[str] | None,
    nested: Mapping[str, Any] = NOTHING,
    lock: str | None = None,
) -> M:
    """See DotModel.get."""
    record = await get_or_none(cls, id, fields, nested, lock)
    if record is None:
        raise RecordNotFound(f"there is no {cls.__name__} {id}")
    return record


async def get_or_none(
    cls: type[M], id: int, fields: Sequence[str] | None, nested: Mapping[str, Any], lock: str | None
) -> M | None:
    """See DotModel.get_or_none."""
    reading = one(cls, id, fields, nested=nested, lock=lock)
    records = await reading.records(await reading.rows())
    return cast(M, records[0]) if records else None


async def search(
    cls: type[M], filter: Sequence[Any], fields: Sequence[str] | None, **options: Any
) -> Page[M]:
    """See DotModel.search."""
    reading = many(cls, filter, fields, **options)
    rows = await reading.rows()
    page: Page[M] = Page(cast(list[M], await reading.records(rows)))
    if reading.paging is not None and rows and len(rows) == reading.paging.limit:
        page.next = reading.paging.cursor(reading.scope, rows[-1])
    return page


async def search_count(cls: "type[DotModel]", filter: Sequence[Any], *, api: bool = False) -> int:
    """See DotModel.search_count. `api`: a client of the API asks (see Scope)."""
    rows = await _about(Scope(cls, "read", api=api), filter, "count")
    return cast(int, rows[0][0])


async def exists(cls: "type[DotModel]", filter: Sequence[Any]) -> bool:
    """See DotModel.exists."""
    rows = await _about(Scope(cls, "read"), filter, "exists")
    return cast(bool, rows[0][0])


async def refresh(record: "DotModel", fields: Sequence[str] | None) -> None:
    """See DotModel.refresh."""
    fresh = await get(type(record), record.id, fields)
    for name in fresh.__fields__:
        slot = fresh.__slot_of__[name]
        try:
            setattr(record, slot, object.__getattribute__(fresh, slot))
        except AttributeError:
            continue  # not among `fields`: what the record had stays


async def _about(scope: Scope, filter: Sequence[Any], question: str) -> list[Any]:
    parsed = scope.parse(filter)
    make = build.count if question == "count" else build.exists
    text = scope.registry.texts.get(
        (question, scope.meta.table, parsed.shape, scope.rule),
        lambda: make(scope.meta, (parsed.shape, scope.rule)),
    )
    return await scope.db.run(text, [*parsed.values, *scope.rule_values])


def _lock_clause(lock: str | None) -> str | None:
    if lock is None:
        return None
    if lock not in _LOCKS:
        raise FilterError(f"lock={lock!r}: it is one of {', '.join(_LOCKS)}")
    return _LOCKS[lock]


def _row_id(id: Any) -> int:
    if not isinstance(id, int) or isinstance(id, bool) or not -(2**63) <= id < 2**63:
        raise FilterError(f"an id is a whole number of 64 bits, not this {type(id).__name__}")
    return id


def _natural(number: Any, name: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        sentence = f"{name} is a whole number, 0 or more"
        raise FilterError(sentence, errors=(Place(f"/{name}", "type", sentence),))
    return number
