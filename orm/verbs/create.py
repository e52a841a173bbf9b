"""Creating rows: one with everything about it given back, or many at once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orm.builder import write as build
from orm.errors import AccessDenied, Place, Problem, ValidationError
from orm.filters.parse import EVERYTHING
from orm.projection import Projection
from orm.verbs.payload import below, checked, columns_at_once, given_values, has_relations, with_defaults
from orm.verbs.relations import insert_whole
from orm.verbs.scope import Scope

if TYPE_CHECKING:
    from orm.model import DotModel

M = TypeVar("M", bound="DotModel")


async def create_one(
    cls: type[M], payload: "DotModel | Mapping[str, Any] | None", values: Mapping[str, Any]
) -> M:
    """See DotModel.create."""
    scope = Scope(cls, "create")
    projection = scope.every_column()
    row = await insert_whole(scope, given_values(scope.meta, payload, values), projection.names)
    return cast(M, projection.load([row])[0])


async def create_many(cls: "type[DotModel]", records: "Sequence[DotModel | Mapping[str, Any]]") -> list[int]:
    """See DotModel.create_bulk."""
    scope = Scope(cls, "create")
    given = [given_values(scope.meta, record, {}) for record in records]
    return [row[0] for row in await _insert_all(scope, given, ("id",))]


async def create_row(cls: "type[DotModel]", values: Mapping[str, Any]) -> tuple[Projection, Any]:
    """A new row for a client of the API (see Scope): the driver's row of what he is shown, and its
    projection."""
    scope = Scope(cls, "create", api=True)
    projection = scope.shown()
    return projection, await insert_whole(scope, values, projection.names)


async def create_rows(
    cls: "type[DotModel]", records: Sequence[Mapping[str, Any]]
) -> tuple[Projection, list[Any]]:
    """The same for many, all of them or none, in their order. Places of errors begin with the index."""
    scope = Scope(cls, "create", api=True)
    projection = scope.shown()
    return projection, await _insert_all(scope, records, projection.names)


async def _insert_all(
    scope: Scope, records: Sequence[Mapping[str, Any]], returning: Sequence[str]
) -> list[Any]:
    if not records:
        return []
    meta = scope.meta
    if scope.rule != EVERYTHING or not any(records) or any(has_relations(meta, one) for one in records):
        return await _insert_one_by_one(scope, records, returning)
    columns = columns_at_once(meta, records, scope.grant)
    if columns is None:
        rows = _all_columns(scope, records)
        columns = {
            name: [row.get(name) for row in rows] for name in dict.fromkeys(n for row in rows for n in row)
        }
    names = tuple(columns)
    text = scope.registry.texts.get(
        ("insert_many", meta.table, names, returning),
        lambda: build.insert_many(meta, names, returning=returning),
    )
    try:
        return await scope.db.run(text, list(columns.values()))
    except Problem as problem:
        if scope.api:  # which of the rows it was the server does not say, so it is the list as a whole
            problem.errors = tuple({Place("", place.code, place.message): None for place in problem.errors})
        raise


async def _insert_one_by_one(
    scope: Scope, records: Sequence[Mapping[str, Any]], returning: Sequence[str]
) -> list[Any]:
    """Where one statement will not do: a rule is asked about each row, relations hang on it, or no row
    names any column."""
    rows = []
    async with scope.db.transaction():
        for index, record in enumerate(records):
            try:
                rows.append(await insert_whole(scope, record, returning))
            except Problem as problem:
                problem.errors = below(f"/{index}", problem)
                raise
    return rows


def _all_columns(scope: Scope, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    meta = scope.meta
    columns: list[dict[str, Any]] = []
    places: list[Place] = []
    for index, record in enumerate(records):
        try:
            columns.append(with_defaults(meta, checked(meta, record, scope.grant)))
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
