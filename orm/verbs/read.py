"""Reading rows: get, search, count, exists, refresh."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from orm.builder import select as build
from orm.builder.text import VERSION
from orm.cursor import as_given, read_cursor, write_cursor
from orm.errors import FilterError, Place, RecordNotFound, StatementTimeout, UsageError
from orm.fields.numbers import is_id
from orm.filters.parse import Shape
from orm.page import Page
from orm.projection import Arguments, Ordered, Projection
from orm.totals import FEW
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
    of the API asks for are made for `payload`. The last `extra` columns of a row are no part of what it
    becomes. `counted` is what the total of a counted search is remembered by."""

    scope: Scope
    projection: Projection
    arguments: Arguments
    text: str
    values: list[Any]
    extra: int = 0
    paging: "Paging | None" = None
    counted: Hashable = None

    async def rows(self) -> list[Any]:
        """The rows as the driver gives them."""
        try:
            return await self.scope.db.run(self.text, self.values)
        except StatementTimeout:
            if self.counted is not None:  # perhaps there were too many to keep while they are counted
                self.scope.registry.totals.note(self.counted, FEW + 1)
            raise

    def total(self, rows: Sequence[Any]) -> int | None:
        """How many rows pass in all, as the rows of a counted search say it; None where there is none."""
        if not rows:
            return None
        total: int = rows[0][-1]
        self.scope.registry.totals.note(self.counted, total)
        return total

    @property
    def is_plain(self) -> bool:
        """Whether `plain_records` will do: no to-many relation was asked for. Then there is nothing to await,
        and a coroutine for nothing costs a row by id a twentieth."""
        return not self.projection.branches

    def plain_records(self, rows: Sequence[Any]) -> "list[DotModel]":
        """Records of `rows`, in their order, without their to-many relations."""
        return self.projection.load(rows, extra=self.extra)

    async def records(self, rows: Sequence[Any]) -> "list[DotModel]":
        """Records of `rows`, in their order, their to-many relations filled in."""
        records = self.plain_records(rows)
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
        return await self.payload(page), self.paging.cursor(page[-1])


@dataclass(slots=True)
class Paging:
    """What a cursor is bound to, and where in a row the values of the order stand."""

    limit: int
    ordered: Ordered
    filter: Sequence[Any]
    scope: Scope

    def cursor(self, row: Any) -> str:
        """The cursor of the page that begins after `row`."""
        scope = self.scope
        values = [row[position] for position in self.ordered.positions]
        return write_cursor(scope.registry.cursor_key, scope.meta, self.ordered.terms, self.filter, values)


def one(
    cls: "type[DotModel]",
    id: int,
    fields: Sequence[str] | None = None,
    *,
    nested: Mapping[str, Any] = NOTHING,
    lock: str | None = None,
    versioned: bool = False,
    api: bool = False,
) -> Reading:
    """The reading of one row by id. `api`: a client of the API asks (see Scope).

    `versioned` puts behind the last column the version of the row, a text (see builder.text.VERSION): what
    update_row and delete_row take."""
    scope = Scope(cls, "read", api=api)
    projection, arguments = scope.project(fields, nested)
    text = _text_of_one(scope, projection, lock, versioned=versioned)
    values = [*arguments.joins, _row_id(id), *scope.rule_values]
    return Reading(scope, projection, arguments, text, values, int(versioned))


def _text_of_one(scope: Scope, projection: Projection, lock: str | None, *, versioned: bool = False) -> str:
    rule, api = scope.rule, scope.api
    clause = None if lock is None else _lock_clause(scope, lock)
    texts, key = scope.registry.texts, ("one", projection, rule, clause, versioned, api)
    return texts.get(key) or texts.put(
        key,
        build.select(
            scope.meta,
            projection,
            (BY_ID, rule),
            order=(),
            lock=clause,
            as_json=api,
            extra=(VERSION,) if versioned else (),
        ),
    )


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
    ordered = projection.ordered(order, scope.place("order"))
    rule = scope.rule
    values = [*arguments.joins, *parsed.values, *scope.rule_values]
    nulls: tuple[bool, ...] | None = None
    if after is not None:
        last = read_cursor(
            scope.registry.cursor_key,
            scope.meta,
            ordered.terms,
            as_given(filter),
            after,
            pointer=scope.place("after"),
        )
        nulls = tuple(value is None for value in last)
        values += [value for value in last if value is not None]
    paging: Paging | None = None
    extra: tuple[str, ...] = ()
    if limit is not None:
        values.append(_natural(limit, "limit") + api)
        paging, extra = Paging(limit, ordered, as_given(filter), scope), ordered.extra
    if offset:
        values.append(_natural(offset, "offset"))
    asked = (scope.meta.table, parsed.shape, rule) if counted else None
    few = counted and scope.registry.totals.are_few(asked)
    key = (
        *("many", projection, parsed.shape, rule, ordered, nulls),
        *(limit is not None, bool(offset), counted, few, api),
    )
    texts = scope.registry.texts
    text = texts.get(key) or texts.put(
        key,
        build.select(
            scope.meta,
            projection,
            (parsed.shape, rule),
            order=ordered.terms,
            limited=limit is not None,
            skipping=bool(offset),
            counted=counted,
            few=few,
            as_json=api,
            extra=extra,
            nulls=nulls,
        ),
    )
    return Reading(scope, projection, arguments, text, values, len(extra) + counted, paging, asked)


async def get(
    cls: type[M],
    id: int,
    fields: Sequence[str] | None,
    nested: Mapping[str, Any] = NOTHING,
    lock: str | None = None,
) -> M | None:
    """See DotModel.get and get_or_none."""
    # what `one` does, without a Reading for somebody who would keep it
    scope = Scope(cls, "read")
    projection, arguments = scope.project(fields, nested)
    text = _text_of_one(scope, projection, lock)
    rows = await scope.db.run(text, [*arguments.joins, _row_id(id), *scope.rule_values])
    records = projection.load(rows)
    if projection.branches:
        await fill_branches(scope, projection, arguments, records, as_json=False)
    return cast(M, records[0]) if records else None


def absent(cls: "type[DotModel]", id: int) -> RecordNotFound:
    """For a row that is not there, or not for the asker."""
    return RecordNotFound(f"there is no {cls.__name__} {id}")


async def search(
    cls: type[M], filter: Sequence[Any], fields: Sequence[str] | None, **options: Any
) -> Page[M]:
    """See DotModel.search."""
    reading = many(cls, filter, fields, **options)
    rows = await reading.scope.db.run(reading.text, reading.values)
    found = reading.plain_records(rows) if reading.is_plain else await reading.records(rows)
    records = cast(list[M], found)
    if reading.paging is None or not rows or len(rows) < reading.paging.limit:
        return Page(records)
    return Page(records, partial(reading.paging.cursor, rows[-1]))


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
    if fresh is None:
        raise absent(type(record), record.id)
    for name in fresh.__fields__:
        slot = fresh.__slot_of__[name]
        try:
            setattr(record, slot, object.__getattribute__(fresh, slot))
        except AttributeError:
            continue  # not among `fields`: what the record had stays


async def _about(scope: Scope, filter: Sequence[Any], question: str) -> list[Any]:
    parsed = scope.parse(filter)
    make = build.count if question == "count" else build.exists
    shapes = (parsed.shape, scope.rule)
    texts, key = scope.registry.texts, (question, scope.meta.table, *shapes)
    text = texts.get(key) or texts.put(key, make(scope.meta, shapes))
    return await scope.db.run(text, [*parsed.values, *scope.rule_values])


def _lock_clause(scope: Scope, lock: str) -> str:
    if lock not in _LOCKS:
        raise FilterError(f"lock={lock!r}: it is one of {', '.join(_LOCKS)}")
    if not scope.db.in_transaction:
        raise UsageError(
            f"lock={lock!r} holds a row until the transaction ends, and none is open: "
            "`async with env.db.transaction():`"
        )
    return _LOCKS[lock]


def _row_id(id: Any) -> int:
    if not is_id(id):
        raise FilterError(f"an id is a whole number of 64 bits, not this {type(id).__name__}")
    return cast(int, id)


def _natural(number: Any, name: str) -> int:
    if not is_id(number) or number < 0:
        sentence = f"{name} is a whole number, 0 or more"
        raise FilterError(sentence, errors=(Place(f"/{name}", "type", sentence),))
    return cast(int, number)
