"""Upsert: rows that are created, or where one with the same key is there, changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orm.builder import write as build
from orm.errors import Place, UsageError, ValidationError
from orm.filters.parse import EVERYTHING
from orm.verbs.payload import below, checked, given_values, has_relations, with_defaults
from orm.verbs.read import many
from orm.verbs.relations import insert_whole, update_whole
from orm.verbs.scope import Scope

if TYPE_CHECKING:
    from orm.model import DotModel


async def upsert(
    cls: "type[DotModel]",
    records: "Sequence[DotModel | Mapping[str, Any]]",
    on: Sequence[str],
    *,
    api: bool = False,
) -> list[int]:
    """See DotModel.upsert. `api`: a client of the API asks (see Scope)."""
    creation, change = Scope(cls, "create", api=api), Scope(cls, "update", api=api)
    meta = creation.meta
    key = tuple(on)
    if set(key) not in [set(names) for names in meta.uniques]:
        unique = "; ".join(", ".join(names) for names in meta.uniques) or "nothing"
        raise UsageError(f"{meta.name}.upsert: on={key} is not unique in {meta.table}; unique is {unique}")
    given = [given_values(meta, record, {}) for record in records]
    _check(creation, given, key)
    if not given:
        return []
    has_rules = any(scope.rule != EVERYTHING for scope in (creation, change, Scope(cls, "read", api=api)))
    names = {tuple(record) for record in given}
    if has_rules or len(names) > 1 or any(has_relations(meta, record) for record in given):
        return await _one_by_one(creation, change, given, key)
    columns = [with_defaults(meta, checked(meta, record, creation.grant)) for record in given]
    changed = tuple(checked(meta, given[0], change.grant))
    written = tuple(columns[0])
    text = creation.registry.texts.get(
        ("upsert", meta.table, written, changed, key),
        lambda: build.upsert(meta, written, [name for name in changed if name not in key], key),
    )
    rows = await creation.db.run(text, [[row[name] for row in columns] for name in written])
    return [row[0] for row in rows]


def _check(scope: Scope, given: Sequence[Mapping[str, Any]], key: tuple[str, ...]) -> None:
    """Raise ValidationError for a record without its key, and for a key that two records have."""
    seen: dict[Any, int] = {}
    places = []
    for index, record in enumerate(given):
        missing = [name for name in key if record.get(name) is None]
        places += [Place(f"/{index}/{name}", "required", f"{name} tells the rows apart") for name in missing]
        own = {name: value for name, value in record.items() if name not in scope.meta.to_many}
        try:
            checked(scope.meta, own, scope.grant)
        except ValidationError as error:
            places += below(f"/{index}", error)
            continue
        identity = tuple(
            scope.meta.fields[name].to_column(record[name]) for name in key if name not in missing
        )
        if not missing and seen.setdefault(identity, index) != index:
            places.append(
                Place(f"/{index}", "duplicate", f"record {seen[identity]} has the same {', '.join(key)}")
            )
    if places:
        raise ValidationError(f"{scope.meta.name}: {places[0].message}", errors=places)


async def _one_by_one(
    creation: Scope, change: Scope, given: Sequence[Mapping[str, Any]], key: tuple[str, ...]
) -> list[int]:
    """Where rules are asked about each row, or the records name different fields."""
    ids = []
    async with creation.db.transaction():
        for record in given:
            condition = [[name, "=", record[name]] for name in key]
            found = await many(creation.meta.cls, condition, ["id"], api=creation.api).rows()
            if found:
                row = await update_whole(change, found[0]["id"], record, ("id",))
            else:
                row = await insert_whole(creation, record, ("id",))
            ids.append(row["id"])
    return ids
