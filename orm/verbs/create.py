"""Creating rows: one with everything about it given back, or many at once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orm.builder import write as build
from orm.errors import AccessDenied, Place, Problem, ValidationError
from orm.filters.parse import EVERYTHING
from orm.metadata import ModelMeta
from orm.projection import Projection
from orm.verbs.attended import Records, one_write, with_create_hooks
from orm.verbs.payload import (
    NO_NAMES,
    below,
    checked,
    columns_at_once,
    given_record,
    given_values,
    has_relations,
    placed_below,
    with_defaults,
)
from orm.verbs.references import asked_references, refuse_hidden
from orm.verbs.row import insertion
from orm.verbs.scope import Scope
from orm.verbs.whole import (
    insert_parts,
    insert_whole,
    is_plain,
    names_with_version,
    parts,
    parts_of_hook,
    refuse_hidden_parts,
)

if TYPE_CHECKING:
    from orm.model import DotModel

M = TypeVar("M", bound="DotModel")


async def create_one(
    cls: type[M], payload: "DotModel | Mapping[str, Any] | None", values: Mapping[str, Any]
) -> M:
    """See DotModel.create."""
    scope = Scope(cls, "create")
    projection = scope.every_column()
    given = given_values(scope.meta, payload, values)
    if is_plain(scope, given):
        columns = with_defaults(scope.meta, checked(scope, given))
        rows = await scope.db.run(*insertion(scope, columns, projection.names))
    else:
        rows = [await insert_whole(scope, given, projection.names)]
    return cast(M, projection.load(rows)[0])


async def create_many(cls: "type[DotModel]", records: "Sequence[DotModel | Mapping[str, Any]]") -> list[int]:
    """See DotModel.create_bulk."""
    scope = Scope(cls, "create")
    given = [record if record.__class__ is dict else given_record(scope.meta, record) for record in records]
    return [row[0] for row in await _insert_all(scope, given, ("id",))]


async def create_row(
    cls: "type[DotModel]", values: Mapping[str, Any], *, versioned: bool = False
) -> tuple[Projection, Any]:
    """A new row for a client of the API (see Scope): the driver's row of what he is shown, and its
    projection. `versioned` puts its version behind the last column (see read.one)."""
    scope = Scope(cls, "create", api=True)
    projection = scope.shown()
    return projection, await insert_whole(scope, values, names_with_version(projection, versioned))


async def create_rows(
    cls: "type[DotModel]", records: Sequence[Mapping[str, Any]]
) -> tuple[Projection, list[Any]]:
    """The same for many, all of them or none, in their order. Places of errors begin with the index."""
    scope = Scope(cls, "create", api=True)
    projection = scope.shown()
    return projection, await _insert_all(scope, records, projection.names)


async def _insert_all(scope: Scope, records: Records, returning: Sequence[str]) -> list[Any]:
    if not records:
        return []
    meta = scope.meta
    if "create" not in meta.attended:
        return await _insert(scope, records, returning)
    if not meta.has_hooks("create"):
        async with one_write(scope, steps=False):
            return await _insert(scope, records, returning)
    whats = []
    for index, record in enumerate(records):
        with placed_below(f"/{index}"):
            whats.append(parts(scope, record))
    async with one_write(scope, steps=True):
        for index, what in enumerate(whats):
            with placed_below(f"/{index}"):
                await refuse_hidden_parts(scope, what)
        return await with_create_hooks(
            scope, records, returning, lambda changed: _insert(scope, changed, returning, hooked=True)
        )


async def _insert(
    scope: Scope, records: Records, returning: Sequence[str], *, hooked: bool = False
) -> list[Any]:
    """`hooked`: the records are what a hook made of the asker's, whose rights have been asked about."""
    meta, ours = scope.meta, scope.unwritable if hooked else NO_NAMES
    if (
        scope.rule != EVERYTHING
        or not any(records)
        or (meta.to_many and any(has_relations(meta, one) for one in records))
    ):
        return await _insert_one_by_one(scope, records, returning, hooked=hooked)
    columns = columns_at_once(scope, records, ours=ours)
    if columns is None:
        rows = _all_columns(scope, records, ours)
        columns = {
            name: [row.get(name) for row in rows] for name in dict.fromkeys(n for row in rows for n in row)
        }
    if not scope.api or hooked:
        return await _insert_columns(scope, columns, returning)
    given = _references(meta, records, columns)
    asked = asked_references(scope, given, NO_NAMES)
    if not asked:
        return await _insert_columns(scope, columns, returning)
    async with scope.db.transaction():
        await refuse_hidden(scope, asked, given)
        return await _insert_columns(scope, columns, returning)


def _references(
    meta: ModelMeta, records: Records, columns: Mapping[str, Sequence[Any]]
) -> dict[str, list[Any]]:
    """The references that the records name, by field; None where one does not: a default is the program's own
    word."""
    return {
        name: [
            value if name in record else None for record, value in zip(records, columns[name], strict=True)
        ]
        for name in meta.foreign_keys
        if name in columns
    }


async def _insert_columns(
    scope: Scope, columns: Mapping[str, Sequence[Any]], returning: Sequence[str]
) -> list[Any]:
    meta, names = scope.meta, tuple(columns)
    texts, key = scope.registry.texts, ("insert_many", meta.table, names, returning)
    text = texts.get(key) or texts.put(key, build.insert_many(meta, names, returning=returning))
    try:
        return await scope.db.run(text, list(columns.values()))
    except Problem as problem:
        if scope.api:  # which of the rows it was the server does not say, so it is the list as a whole
            problem.errors = tuple({Place("", place.code, place.message): None for place in problem.errors})
        raise


async def _insert_one_by_one(
    scope: Scope, records: Records, returning: Sequence[str], *, hooked: bool
) -> list[Any]:
    """Where one statement will not do: a rule is asked about each row, relations hang on it, or no row
    names any column."""
    rows = []
    async with scope.db.transaction():
        for index, record in enumerate(records):
            with placed_below(f"/{index}"):
                what = parts_of_hook(scope, record) if hooked else parts(scope, record)
                rows.append(await insert_parts(scope, what, returning))
    return rows


def _all_columns(scope: Scope, records: Records, ours: frozenset[str]) -> list[dict[str, Any]]:
    meta = scope.meta
    columns: list[dict[str, Any]] = []
    places: list[Place] = []
    for index, record in enumerate(records):
        try:
            columns.append(with_defaults(meta, checked(scope, record, ours=ours)))
        except ValidationError as error:
            places += below(f"/{index}", error)
        except AccessDenied as denied:
            denied.errors = below(f"/{index}", denied)
            raise
    if places:
        raise ValidationError(
            f"{meta.name}: {len(places)} values of {len(records)} records are wrong", errors=places
        )
    return columns
